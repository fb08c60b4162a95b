"""The parts of a network, by the names of its parameters."""

PARTS = ("encoder", "sharing", "heads")
_ENCODERS = ("encoder", "encoders")


def part_of(name: str) -> str:
    """Encoder, sharing or heads; encoders that a sharing holds itself count as encoder.

    >>> part_of("encoder.layers.0.weight"), part_of("heads.1.bias"), part_of("sharing.encoders.0.first.weight")
    ('encoder', 'heads', 'encoder')
    """
    words = name.split(".")
    first = next((word for word in words if word in PARTS), "encoder")
    return "encoder" if first == "sharing" and any(word in _ENCODERS for word in words) else first


def is_matrix(name: str) -> bool:
    """Whether a parameter is decayed and penalized: no bias, norm or embedding.

    >>> is_matrix("layers.0.weight"), is_matrix("layers.0.bias"), is_matrix("experts.biases.0")
    (True, False, False)
    """
    return not (name.endswith("bias") or ".biases." in f".{name}" or "embedding" in name or "norm." in name)
