"""The parts of a network, by the names of its parameters."""

PARTS = ("encoder", "sharing", "heads")
_ENCODERS = ("encoder", "encoders", "shared_encoder")
_MIXING = ("stitches", "alphas", "betas", "branching", "native")  # how tasks mix what others made: 0 is no neutral value


def part_of(name: str) -> str:
    """Encoder, sharing or heads; encoders that a sharing holds itself count as encoder.

    >>> part_of("encoder.layers.0.weight"), part_of("heads.1.bias"), part_of("sharing.encoders.0.first.weight")
    ('encoder', 'heads', 'encoder')
    """
    words = name.split(".")
    first = next((word for word in words if word in PARTS), "encoder")
    return "encoder" if first == "sharing" and any(word in _ENCODERS for word in words) else first


def is_matrix(name: str) -> bool:
    """Whether a parameter is decayed and penalized: no bias, norm, embedding or mixing of tasks.

    >>> is_matrix("layers.0.weight"), is_matrix("layers.0.bias"), is_matrix("experts.biases.0"), is_matrix("sharing.alphas")
    (True, False, False, False)
    """
    if any(word in _MIXING for word in name.split(".")):
        return False
    return not (name.endswith("bias") or ".biases." in f".{name}" or "embedding" in name or "norm." in name)
