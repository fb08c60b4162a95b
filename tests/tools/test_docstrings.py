"""The documentation shows examples, maths and references of docstrings as what they are."""

from tools.docstrings import to_markdown


def test_an_example_between_sentences_is_fenced():
    assert to_markdown("First.\n\n>>> 1 + 1\n2\n\nThen.") == "First.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nThen."


def test_an_indented_example_keeps_its_indent():
    assert to_markdown("Examples\n    >>> 1\n    1") == "Examples\n    ```pycon\n    >>> 1\n    1\n    ```"


def test_marks_inside_an_example_are_left_alone():
    assert ":func:`f` [0][1]" in to_markdown(">>> ':func:`f` [0][1]'")


def test_names_lose_their_role():
    assert to_markdown("See :func:`~a.b` and :class:`C`.") == "See `a.b` and `C`."


def test_maths_gets_dollars():
    assert to_markdown(".. math:: x^2\n\nwith :math:`x > 0`") == "$$x^2$$\n\nwith $x > 0$"
    assert to_markdown(".. math::\n\n    x^2\n") == "$$\n    x^2\n$$\n"


def test_an_index_is_no_link():
    assert to_markdown("h[n, d][0]") == r"h[n, d]\[0]"


def test_a_literal_block_ends_its_sentence_with_one_colon():
    assert to_markdown("So::\n\n    code") == "So:\n\n    code"
