"""The parts of a network, by the names of its parameters."""

PARTS = ("encoder", "sharing", "heads")
_ENCODERS = ("encoder", "encoders", "shared_encoder")
_MIXING = ("stitches", "alphas", "betas", "branching", "native", "signs")  # how tasks mix what others made: 0 is no neutral value


def part_of(name: str) -> str:
    """Encoder, sharing or heads; encoders that a sharing holds itself count as encoder.

    >>> part_of("encoder.layers.0.weight"), part_of("heads.1.bias"), part_of("sharing.encoders.0.first.weight")
    ('encoder', 'heads', 'encoder')
    """
    words = name.split(".")
    first = next((word for word in words if word in PARTS), "encoder")
    return "encoder" if first == "sharing" and any(word in _ENCODERS for word in words) else first


def parts_on(on: str) -> tuple[str, ...]:
    """The parts of "shared", "all", or one of them.

    >>> parts_on("shared"), parts_on("heads")
    (('encoder', 'sharing'), ('heads',))
    """
    return PARTS[:2] if on == "shared" else PARTS if on == "all" else (on,)


def is_matrix(name: str) -> bool:
    """Whether a parameter is decayed: no bias, norm, embedding or mixing of tasks.

    >>> is_matrix("layers.0.weight"), is_matrix("layers.0.bias"), is_matrix("experts.biases.0"), is_matrix("sharing.alphas")
    (True, False, False, False)
    """
    if any(word in _MIXING for word in name.split(".")):
        return False
    return not (name.endswith("bias") or ".biases." in f".{name}" or "embedding" in name or "norm." in name)


def is_gate(name: str) -> bool:
    """Whether a parameter or layer belongs to a gate, by which a task weighs experts.

    >>> is_gate("sharing.gates.0.linear.weight"), is_gate("sharing.experts.weights.0")
    (True, False)
    """
    return "gates" in name.split(".")


def is_penalized(name: str) -> bool:
    """Whether penalties are of a parameter: one that is decayed, and no gate, whose zeros would tell all experts alike.

    >>> is_penalized("sharing.gates.0.linear.weight"), is_penalized("sharing.experts.weights.0")
    (False, True)
    """
    return is_matrix(name) and not is_gate(name)


def is_adapter(name: str) -> bool:
    """Whether a parameter is of what a task adds to shared weights, which is 0 at the start.

    >>> is_adapter("sharing.adapters.0.1.up"), is_adapter("sharing.layers.0.weight")
    (True, False)
    """
    return "adapters" in name.split(".")
