"""Reads a report the way a browser does, as far as the tests need it."""

import re
from html.parser import HTMLParser

_VOID = {"meta", "br", "wbr", "link", "img", "hr"}


class Page(HTMLParser):
    """Collects elements and text, and checks that every element is closed in turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not self._open or self._open[-1] != "style":
            self._text.append(data)

    @property
    def words(self) -> str:
        """All text, with single spaces."""
        return re.sub(r"\s+", " ", "".join(self._text))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of one kind."""
        return [attributes for name, attributes in self.tags if name == tag]
