"""Where a model's files are, whether they are all there, and how they become a torch model and a tokenizer."""

from __future__ import annotations

import errno
import json
import logging
import math
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hybridmem.core.errors import ModelIncomplete, ModelNotFound, ModelTooLarge
from hybridmem.models.huggingface import hub
from hybridmem.models.huggingface.free_memory import loadable_bytes

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_QUANTIZED_BYTES = 0.53
"""Of a weight in 4 bits, with its share of the quantized constants."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete model folder: configuration, tokenizer and weights as safetensors."""

    folder: Path
    weights: tuple[Path, ...]
    sha256: str | None = None
    """What adapters are bound to, where the weights were made from other files: the digest of these, because another
    processor may round the weights themselves otherwise. None for the digest of `weights`."""


def locate(name: str | Path) -> Checkpoint:
    """The files of `name`, a folder or a name on the Hugging Face hub.

    A hub model that is already on this machine is used without a request. Raises `ModelNotFound` or
    `ModelIncomplete`.
    """
    found = here(name)
    if found is not None:
        return found
    return checked(hub.fetched(str(name)), f"the hub's model {str(name)!r}")


def here(name: str | Path) -> Checkpoint | None:
    """What `locate` finds without a request; None for a hub model that would have to be fetched."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return checked(folder)
    if isinstance(name, Path) or not hub.is_name(name):
        raise ModelNotFound(
            f"there is no model folder {str(name)!r}: pass a folder, a GGUF file, a hub name or 'bundled'"
        )
    snapshot = hub.cached(name)
    try:
        return None if snapshot is None else checked(snapshot)
    except ModelIncomplete:
        return None


def checked(folder: Path, called: str | None = None) -> Checkpoint:
    """`folder` with its weight files, once nothing is missing. Raises `ModelIncomplete` naming what is.

    `called` is what the message calls the model, if not by its folder."""
    weights, missing = _weights(folder)
    if not (folder / "config.json").is_file():
        missing.insert(0, "config.json")
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        missing.append("a tokenizer (tokenizer.json)")
    if missing:
        listed = ", ".join(missing)
        if called is not None:
            raise ModelIncomplete(f"{called} lacks {listed}: choose one that has it, or pass a folder")
        raise ModelIncomplete(f"the model folder {str(folder)!r} lacks {listed}: add it, or save it again")
    return Checkpoint(folder, weights)


def _weights(folder: Path) -> tuple[tuple[Path, ...], list[str]]:
    """The weight files, and what of them is missing."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        return (folder / "model.safetensors",), []
    if index.is_file():
        try:
            names = sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
        except (ValueError, KeyError, TypeError, AttributeError):
            return (), [f"a readable {index.name}"]
        return tuple(folder / name for name in names), [name for name in names if not (folder / name).is_file()]
    pickled = sorted(file.name for pattern in _PICKLED for file in folder.glob(pattern))
    if pickled:
        return (), [f"model.safetensors (it has {pickled[0]}, a pickle, which can run code and is never read)"]
    return (), ["model.safetensors"]


def parameters(checkpoint: Checkpoint) -> dict[str, int]:
    """How many numbers each tensor has, by the headers of the weight files; nothing of a file that is no safetensors,
    which `read` refuses."""
    found: dict[str, int] = {}
    for file in checkpoint.weights:
        try:
            with file.open("rb") as opened:
                header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
            found |= {name: math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, MemoryError):
            continue
    return found


def weights_bytes(sizes: Mapping[str, int], dtype: torch.dtype, *, quantized: bool) -> int:
    """Bytes of tensors of these sizes in memory; `quantized` leaves embeddings and head in `dtype`."""
    total = 0.0
    for name, size in sizes.items():
        whole = not quantized or any(part in name for part in ("embed", "wte", "head"))
        total += size * (dtype.itemsize if whole else _QUANTIZED_BYTES)
    return int(total)


def require_memory(name: str, needed: int, device: torch.device, dtype: torch.dtype) -> None:
    """Raises `ModelTooLarge` for weights of so many bytes that `device` cannot hold, before anything is read.

    Otherwise the operating system would end the process, and with it whatever else the agent does."""
    free = loadable_bytes(device)
    if free is not None and needed > free:
        precision = str(dtype).removeprefix("torch.")
        raise ModelTooLarge(
            f"the model {name!r} takes {needed / 1e9:.1f} GB in {precision} and {device} has {free / 1e9:.1f} GB free: "
            f"pass a smaller model, or {name},dtype=bfloat16 or {name},quantize=4bit"
        )


def read(
    checkpoint: Checkpoint,
    *,
    device: torch.device,
    dtype: torch.dtype,
    trust_remote_code: bool = False,
    quantization: Any = None,
) -> tuple[Any, Any]:
    """(torch model in evaluation mode, tokenizer). Reads local files and safetensors only.

    `quantization` is a configuration of `quantized`. Raises `ModelIncomplete` for files that cannot be read or do not
    fit each other, and `ModelTooLarge` where the device's memory ends.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(checkpoint.folder)
    local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    # Weights in 4 bits are made so as they are read, on the device itself.
    placed = {} if quantization is None else {"quantization_config": quantization, "device_map": {"": device}}
    with quietly():
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, **local)
            module, loaded = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **placed, **local
            )
            if quantization is None:
                module = module.to(device)
        except SafetensorError as error:
            raise ModelIncomplete(f"the weights in {folder!r} cannot be read ({error}): fetch them again") from None
        except torch.OutOfMemoryError:
            raise ModelTooLarge(
                f"the model in {folder!r} does not fit into the memory of {device}: pass a smaller one, or load it "
                f"with quantize=4bit"
            ) from None
        except unreadable() as error:
            raise ModelIncomplete(f"the model in {folder!r} cannot be loaded: {first_line(error)[:300]}") from error
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise ModelIncomplete(
            f"the weights in {folder!r} lack {missing[0]} and {len(missing) - 1} more that config.json asks for: "
            f"fetch them again"
        )
    return module.eval(), tokenizer


def unreadable() -> tuple[type[Exception], ...]:
    """What transformers raises for files that are damaged, or do not fit each other."""
    from huggingface_hub import errors

    # Of configurations whose values exclude each other; in releases of the hub's library that check these.
    checked = getattr(errors, "StrictDataclassError", ValueError)
    files = (OSError, LookupError, ValueError, TypeError, AttributeError, ImportError, struct.error)
    return (*files, RuntimeError, ArithmeticError, checked)


def first_line(error: BaseException) -> str:
    """What an error says, in one line: its cause's words where it has one."""
    said = str(error.__cause__ or error)
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)


def write(module: Any, tokenizer: Any, folder: Path, dtype: torch.dtype) -> None:
    """Put what `read` reads into `folder`, with the weights rounded to `dtype`. Raises `OSError`, of the disk."""
    from safetensors import SafetensorError

    module = module.to(dtype)
    module.config.dtype = dtype
    try:
        with quietly():
            module.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
    except SafetensorError as error:
        # Its writer is in Rust, and tells the operating system's number in words.
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number[1]) if number else errno.EIO, str(error)) from None


class _NoKernelNotice(logging.Filter):
    """Drops the notice that an optional CUDA kernel is absent: nothing that a user of a small model can act on."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "falling back to its reference PyTorch implementation" not in record.getMessage()


@contextmanager
def quietly() -> Iterator[None]:
    """Without transformers' progress bars, and without the kernel notice from here on."""
    from transformers.utils import logging as transformers_logging

    notices = logging.getLogger("transformers.integrations.hub_kernels")
    if not any(isinstance(present, _NoKernelNotice) for present in notices.filters):
        notices.addFilter(_NoKernelNotice())
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
