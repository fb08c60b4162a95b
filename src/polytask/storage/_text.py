"""Text and bytes as they are, for native formats of other libraries."""

from dataclasses import dataclass
from typing import ClassVar

from polytask.exceptions import ModelFolderError


@dataclass(frozen=True)
class TextPart:
    """Text as a part of a model folder, written as UTF-8 without changing line ends."""

    text: str
    part: ClassVar[str] = "text"

    def encode(self, name: str) -> bytes:
        """Give the bytes of the file; ``name`` is for errors."""
        return self.text.encode("utf-8", errors="surrogatepass")


@dataclass(frozen=True)
class BytesPart:
    """Bytes as a part of a model folder, for a native format whose reader finds damage itself.

    CatBoost's ``cbm`` is none: a damaged file ends the process. Its trees are kept as plain arrays whose ranges are checked.
    """

    content: bytes
    part: ClassVar[str] = "bytes"

    def encode(self, name: str) -> bytes:
        """Give the bytes of the file; ``name`` is for errors."""
        return bytes(self.content)


def decode_text(content: bytes, *, where: str) -> str:
    """Read UTF-8 text; `where` names the file in the error."""
    try:
        return content.decode("utf-8", errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise ModelFolderError(f"{where} is not UTF-8 text ({error}). Copy the model again, or save it again.") from error
