"""Our docstrings as Markdown, for mkdocstrings: examples, maths and references to names (used by mkdocs.yml)."""

import re
from typing import Any

import griffe

# Lines that start with >>> and all that follow until an empty line, unless they are in a fence already.
EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", flags=re.MULTILINE)
ROLE = re.compile(r":(?:func|class|meth|mod|attr|data|exc|obj):`~?([^`]+)`")
MATH_BLOCK = re.compile(r"^( *)\.\. math::\n((?:\n|\1 +.*(?:\n|$))+)", flags=re.MULTILINE)
MATH_LINE = re.compile(r"^( *)\.\. math:: (.+(?:\n\1 +\S.*)*)", flags=re.MULTILINE)
MATH_INLINE = re.compile(r":math:`([^`]+)`")
LITERAL = re.compile(r"::$(?=\n\n +)", flags=re.MULTILINE)
REFERENCE = re.compile(r"(?<=\])\[")  # [n, d][0] is no link


def fence(match: re.Match[str]) -> str:
    indent = match[1]
    return f"{indent}```pycon\n{match[0]}\n{indent}```"


def to_markdown(text: str) -> str:
    """Rewrite the few marks of reStructuredText that our docstrings use; leave examples as they are, in a fence."""
    pieces = []
    last = 0
    for match in EXAMPLE.finditer(text):
        pieces += [prose_to_markdown(text[last : match.start()]), fence(match)]
        last = match.end()
    return "".join([*pieces, prose_to_markdown(text[last:])])


def prose_to_markdown(text: str) -> str:
    text = ROLE.sub(r"`\1`", text)
    text = MATH_LINE.sub(r"\1$$\2$$", text)
    text = MATH_BLOCK.sub(lambda match: f"{match[1]}$$\n{match[2].strip(chr(10))}\n{match[1]}$$\n", text)
    text = MATH_INLINE.sub(r"$\1$", text)
    text = LITERAL.sub(":", text)
    return REFERENCE.sub(r"\\[", text)


METRIC = re.compile(r"""Metric\(\s*['"](\w+)['"], (\w+), higher_is_better=(True|False)""")


def of_metric(obj: griffe.Object) -> griffe.Docstring | None:
    """What ``MSE = Metric("mse", mse, higher_is_better=False)`` says of itself; it has no docstring of its own."""
    match = METRIC.match(str(obj.value)) if isinstance(obj, griffe.Attribute) else None
    if match is None:
        return None
    better = "higher" if match[3] == "True" else "lower"
    return griffe.Docstring(f'The metric "{match[1]}", of the function `{match[2]}`; {better} is better.', parent=obj)


class Docstrings(griffe.Extension):
    """The griffe extension that mkdocs.yml names."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = to_markdown(obj.docstring.value)
        else:
            obj.docstring = of_metric(obj)
