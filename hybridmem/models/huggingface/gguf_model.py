"""A GGUF file as a torch model and a tokenizer, and as a model folder in the cache.

transformers reads the file and undoes its quantization, which takes ten times as long as reading safetensors and is
therefore done once. The copy is bound to the file: its digest is the file's.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hybridmem.core.errors import InvalidInput, ModelIncomplete, ModelTooLarge
from hybridmem.core.hashing import SETTLED_SECONDS, file_sha256
from hybridmem.models import cache
from hybridmem.models.huggingface import checkpoint, gguf_header
from hybridmem.models.huggingface.checkpoint import Checkpoint
from hybridmem.models.huggingface.gguf_header import GgufHeader

TOKENIZER_BYTES = 64_000_000
"""More than a tokenizer and a configuration take on the disk."""


def located(path: Path) -> Checkpoint:
    """The copy of the GGUF file in the cache, made where it is not there yet.

    Raises `ModelNotFound`, `ModelIncomplete`, `InvalidInput`, `ModelTooLarge`, and `ModelError` where the cache cannot
    be written."""
    path = path.expanduser().absolute()
    header = gguf_header.read(path)
    sha256 = remembered_sha256(path)
    dtype: torch.dtype = getattr(torch, header.dtype)
    takes = header.parameters * dtype.itemsize + TOKENIZER_BYTES

    def make(folder: Path) -> None:
        checkpoint.write(*read(path, header, dtype), folder, dtype)

    found = checkpoint.checked(cache.made(str(path), sha256, make, takes=takes))
    return replace(found, sha256=sha256)


def read(path: Path, header: GgufHeader, dtype: torch.dtype) -> tuple[Any, Any]:
    """(torch model in `dtype` on the CPU, tokenizer). Raises `ModelIncomplete`, `ModelTooLarge` or `InvalidInput`."""
    from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

    needed = header.parameters * dtype.itemsize
    checkpoint.require_memory(str(path), needed, torch.device("cpu"), dtype)
    place: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True}
    with checkpoint.quietly(), _silently():
        with _refusing(path, header.architecture, "its configuration cannot be read"):
            config = AutoConfig.from_pretrained(path.parent, **place)
        with _refusing(path, header.architecture, "its tokenizer cannot be read"):
            tokenizer = PreTrainedTokenizerFast.from_pretrained(path.parent, **place)
        with _refusing(path, header.architecture, "its weights cannot be read"):
            _require_parameters(config, header)
            module, loaded = AutoModelForCausalLM.from_pretrained(
                path.parent, config=config, dtype=dtype, output_loading_info=True, **_whole(), **place
            )
    if missing := sorted(loaded["missing_keys"]):
        raise ModelIncomplete(
            f"the GGUF file {str(path)!r} lacks {missing[0]} and {len(missing) - 1} more that its family has: fetch it "
            f"again"
        )
    # It is a plain model now, and would otherwise be taken for a quantized one when it is written and read.
    for owner, name in ((module, "hf_quantizer"), (module, "is_quantized"), (module.config, "quantization_config")):
        if hasattr(owner, name):
            delattr(owner, name)
    return module.eval(), tokenizer


def _require_parameters(config: Any, header: GgufHeader) -> None:
    """Raises `ValueError` for a configuration of far more numbers than the file holds: what it lacks would be made up,
    and a damaged width may ask for more memory than there is."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        announced = AutoModelForCausalLM.from_config(config).num_parameters()
    # Some weights are counted twice here and are once in the file, such as embeddings that are the head as well.
    if announced > 3 * header.parameters:
        raise ValueError(f"it announces {announced:,} numbers and holds {header.parameters:,}")


def remembered_sha256(path: Path) -> str:
    """The sha256 of a file of gigabytes: read once, and then known by path, size and time of change."""
    state = path.stat()
    known = {"path": str(path), "bytes": state.st_size, "mtime_ns": state.st_mtime_ns}
    note = cache.root() / "hashes" / f"{hashlib.sha256(str(path).encode()).hexdigest()[:16]}.json"
    with suppress(OSError, ValueError, TypeError, AttributeError):
        noted = json.loads(note.read_text(encoding="utf-8"))
        if {**noted, **known} == noted and isinstance(noted["sha256"], str):
            return str(noted["sha256"])
    sha256 = file_sha256(path)
    # A file of the last seconds may change again within one tick of the clock. Where nothing can be noted, it is read
    # again the next time.
    if time.time() - state.st_mtime > SETTLED_SECONDS:
        with suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            half = note.with_suffix(f".{secrets.token_hex(4)}")
            half.write_text(json.dumps({**known, "sha256": sha256}) + "\n", encoding="utf-8")
            half.replace(note)
    return sha256


def _whole() -> dict[str, Any]:
    """Has releases of transformers that could keep the blocks of a file as they are make plain weights of them."""
    try:
        from transformers import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}


@contextmanager
def _refusing(path: Path, architecture: str, what: str) -> Iterator[None]:
    """What a reader of files makes of this one, as one line."""
    try:
        yield
    except MemoryError:
        raise ModelTooLarge(f"the GGUF file {str(path)!r} does not fit into memory: pass a smaller model") from None
    except checkpoint.unreadable() as error:
        cause = checkpoint.first_line(error)
        if "ignore_mismatched_sizes" in cause:
            cause = "their shapes are not those that the file announces"
        unsupported = isinstance(error, ValueError) and re.search(
            "not supported|unsupported|unrecognized|cannot build", cause, re.IGNORECASE
        )
        kind, todo = (InvalidInput, "pass another model") if unsupported else (ModelIncomplete, "fetch it again")
        raise kind(
            f"the GGUF file {str(path)!r} holds a model of the family {architecture!r}, and {what}: {cause[:200]}: "
            f"{todo}"
        ) from None


@contextmanager
def _silently() -> Iterator[None]:
    """Without the bar that transformers draws as it undoes the quantization, which no setting of its own hides, and
    without the reports and warnings that precede an error."""
    from transformers import modeling_gguf_pytorch_utils as reader
    from transformers.utils import logging as transformers_logging

    bar, verbosity = reader.tqdm, transformers_logging.get_verbosity()
    reader.tqdm = partial(bar, disable=True)
    transformers_logging.set_verbosity(max(verbosity, logging.ERROR))
    try:
        with np.errstate(all="ignore"):
            yield
    finally:
        reader.tqdm = bar
        transformers_logging.set_verbosity(verbosity)
