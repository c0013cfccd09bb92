"""What a GGUF file says of itself before its weights, and whether the weights that it announces are all there.

The layout is ggml's: ``docs/gguf.md`` in its repository, versions 2 and 3.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hybridmem.core.errors import InvalidInput, ModelIncomplete, ModelNotFound

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Types of metadata that have a fixed size, as `struct` writes them."""
_TEXT, _LIST = 8, 9
_ALIGNMENT = 32
_DIMENSIONS = 8
"""ggml has four. More is no shape."""
_FLOATS = {0: "float32", 1: "float16", 30: "bfloat16"}
"""Types of tensors that are no quantized blocks."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the weights are, without any of them."""

    architecture: str
    """As llama.cpp calls the family."""
    sizes: Mapping[str, int]
    """How many numbers each tensor has, by the file's names."""
    dtype: str
    """The torch type that loses none of what the file holds, as far as that matters: blocks of few bits stand for
    bfloat16."""

    @property
    def parameters(self) -> int:
        return sum(self.sizes.values())


def is_gguf(name: str | Path) -> bool:
    """Whether `name` is meant for a GGUF file: by its suffix, or by the first bytes of what is there."""
    path = Path(name).expanduser()
    if path.suffix.lower() == ".gguf":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) == _MAGIC
    except (OSError, ValueError):
        return False


def read(path: Path) -> GgufHeader:
    """The header of the file. Raises `ModelNotFound`, `ModelIncomplete` for a file that ends too early or is damaged,
    and `InvalidInput` for one that is no GGUF, or of a kind that nothing here reads."""
    try:
        with path.open("rb") as file:
            return _read(_Reader(file, path))
    except (FileNotFoundError, NotADirectoryError):
        raise ModelNotFound(f"there is no GGUF file {str(path)!r}: pass the path of one that is there") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ModelIncomplete(f"the GGUF file {str(path)!r} cannot be read ({error}): fetch it again") from None


class _Reader:
    """Reads a file from its start and refuses to read beyond its end."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self.path = path
        self.size = path.stat().st_size

    def bytes(self, count: int) -> bytes:
        self._require(count)
        return self._file.read(count)

    def skip(self, count: int) -> None:
        self._require(count)
        self._file.seek(count, 1)

    def number(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.bytes(struct.calcsize(f"<{kind}")))[0]

    def text(self) -> str:
        return self.bytes(self.number("Q")).decode("utf-8")

    @property
    def position(self) -> int:
        return self._file.tell()

    def incomplete(self) -> ModelIncomplete:
        return ModelIncomplete(
            f"the GGUF file {str(self.path)!r} is damaged or ends too early, at {self.size:,} bytes: fetch it again"
        )

    def _require(self, count: int) -> None:
        if count > self.size - self.position:
            raise self.incomplete()


def _read(reader: _Reader) -> GgufHeader:
    if reader.size < len(_MAGIC) or reader.bytes(len(_MAGIC)) != _MAGIC:
        raise InvalidInput(f"{str(reader.path)!r} is no GGUF file: pass one, a model's folder or a hub name")
    version = reader.number("I")
    if version not in _VERSIONS:
        raise InvalidInput(f"{str(reader.path)!r} is a GGUF of version {version}: convert it to version 3")
    tensors, entries = reader.number("Q"), reader.number("Q")
    metadata = {reader.text(): _value(reader, reader.number("I")) for _ in range(entries)}
    architecture, parts = metadata.get("general.architecture"), metadata.get("split.count")
    if not isinstance(architecture, str):
        raise reader.incomplete()
    if isinstance(parts, int) and parts > 1:
        raise InvalidInput(
            f"{str(reader.path)!r} is one of {parts} parts of a model: join them with llama.cpp's "
            f"`llama-gguf-split --merge`, and pass what that writes"
        )
    table = [_tensor(reader) for _ in range(tensors)]
    layers = {name.split(".")[1] for name, *_ in table if name.startswith("blk.")}
    announced = metadata.get(f"{architecture}.block_count")
    if isinstance(announced, int) and announced > len(layers):
        raise reader.incomplete()  # Before anything makes room for layers by the billion.
    alignment = metadata.get("general.alignment")
    boundary = alignment if isinstance(alignment, int) and alignment > 0 else _ALIGNMENT
    start = -(-reader.position // boundary) * boundary
    if not table or start + max(end for _, _, _, end in table) > reader.size:
        raise reader.incomplete()
    return GgufHeader(
        architecture=architecture,
        sizes={name: math.prod(shape) for name, shape, _, _ in table},
        dtype=_dtype({kind for _, shape, kind, _ in table if len(shape) > 1}),
    )


def _dtype(kinds: set[int]) -> str:
    """Of matrices of these kinds."""
    if not kinds <= _FLOATS.keys():
        return "bfloat16"
    return _FLOATS[kinds.pop()] if len(kinds) == 1 else "float32"


def _value(reader: _Reader, kind: int) -> Any:
    """A value of the metadata. Of a list, which may be a vocabulary, only the length."""
    if kind in _NUMBERS:
        return reader.number(_NUMBERS[kind])
    if kind == _TEXT:
        return reader.text()
    if kind != _LIST:
        raise reader.incomplete()
    of, length = reader.number("I"), reader.number("Q")
    if of in _NUMBERS:
        reader.skip(length * struct.calcsize(f"<{_NUMBERS[of]}"))
    elif of == _TEXT:
        for _ in range(length):
            reader.skip(reader.number("Q"))
    else:
        raise reader.incomplete()
    return length


def _tensor(reader: _Reader) -> tuple[str, tuple[int, ...], int, int]:
    """(name, shape, ggml's number for its type, where it ends within the weights)"""
    from gguf.constants import GGML_QUANT_SIZES

    name, dimensions = reader.text(), reader.number("I")
    if dimensions > _DIMENSIONS:
        raise reader.incomplete()
    shape = tuple(reader.number("Q") for _ in range(dimensions))
    kind, offset = reader.number("I"), reader.number("Q")
    sizes = {int(known): size for known, size in GGML_QUANT_SIZES.items()}
    if kind not in sizes:
        raise InvalidInput(
            f"{str(reader.path)!r} holds numbers of ggml's type {kind}, which nothing here reads: pass another "
            f"quantization of the model, such as Q4_K_M or Q8_0"
        )
    block, block_bytes = sizes[kind]
    return name, shape, kind, offset + math.prod(shape) // block * block_bytes
