"""Files as UTF-8, whichever of Unicode's encodings their byte order mark names: some programs write UTF-16.

Without a mark a file is taken as it is: UTF-16 cannot be told from other bytes with certainty.
"""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import BinaryIO

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 64 * 2**10


def opened(path: Path) -> BinaryIO:
    """The file at `path`, open for reading from its start, as UTF-8; what is broken in UTF-16 or UTF-32 is U+FFFD."""
    stream = path.open("rb")
    encoding = _encoding(stream)
    return stream if encoding is None else io.BufferedReader(_Transcoded(stream, encoding), _CHUNK)


def is_transcoded(path: Path) -> bool:
    """Whether places in the file are others than in what `opened` reads of it."""
    with path.open("rb") as stream:
        return _encoding(stream) is not None


def _encoding(stream: BinaryIO) -> str | None:
    head = stream.read(4)
    stream.seek(0)
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


class _Transcoded(io.RawIOBase):
    """The UTF-8 of a stream in another encoding, a chunk at a time."""

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._left = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._left and not self._ended:
            chunk = self._stream.read(_CHUNK)
            self._ended = not chunk
            self._left = self._decoder.decode(chunk, final=self._ended).encode("utf-8", "replace")
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()
