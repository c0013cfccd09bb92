"""Where a model's files are, whether they are all there, and how they become a torch model and a tokenizer."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hybridmem.errors import ModelIncomplete, ModelNotFound

_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "vocab.json", "vocab.txt")
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_HUB_FILES = ["*.safetensors", "*.json", "*.model", "*.txt", "*.jinja"]
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete model folder: configuration, tokenizer and weights as safetensors."""

    folder: Path
    weights: tuple[Path, ...]


def locate(name: str | Path) -> Checkpoint:
    """The files of `name`, a folder or a name on the Hugging Face hub.

    A hub model that is already on this machine is used without a request. Raises `ModelNotFound` or
    `ModelIncomplete`.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return checked(folder)
    if isinstance(name, Path) or name.startswith((".", "/", "~")) or not _HUB_NAME.fullmatch(name):
        raise ModelNotFound(f"there is no model folder {str(name)!r}: pass a folder, a hub name or 'bundled'")
    return checked(_from_hub(name))


def _from_hub(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    def snapshot(local: bool) -> Path:
        found = snapshot_download(name, allow_patterns=_HUB_FILES, ignore_patterns=["*/*"], local_files_only=local)
        return Path(found)

    try:
        return checked(snapshot(True)).folder
    except (LocalEntryNotFoundError, ModelIncomplete):
        pass
    except HFValidationError:
        raise ModelNotFound(f"{name!r} is neither a folder nor a hub name: pass a folder, or 'bundled'") from None
    try:
        return snapshot(False)
    except HfHubHTTPError as error:
        status = error.response.status_code
        hint = "request access on its page, then log in with `hf auth login`" if status in {401, 403} else "check it"
        raise ModelNotFound(f"the hub refused the model {name!r} (HTTP {status}): {hint}, or pass a folder") from None
    except (LocalEntryNotFoundError, ConnectionError):
        raise ModelNotFound(
            f"{name!r} is no folder here, not in the hub's cache, and the hub cannot be reached: "
            f"pass a folder, or 'bundled'"
        ) from None


def checked(folder: Path) -> Checkpoint:
    """`folder` with its weight files, once nothing is missing. Raises `ModelIncomplete` naming what is."""
    weights, missing = _weights(folder)
    if not (folder / "config.json").is_file():
        missing.insert(0, "config.json")
    if not any((folder / name).is_file() for name in _TOKENIZER_FILES):
        missing.append("a tokenizer (tokenizer.json)")
    if missing:
        raise ModelIncomplete(f"the model folder {str(folder)!r} lacks {', '.join(missing)}: add it, or save it again")
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


def chosen_device(device: str | None) -> torch.device:
    """`device`, or the best one here: CUDA, Apple's MPS, the CPU."""
    if device is not None:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def chosen_dtype(dtype: torch.dtype | None, device: torch.device) -> torch.dtype:
    """`dtype`, or what suits the device: bfloat16 on CUDA, float16 on MPS, float32 on a CPU."""
    if dtype is not None:
        return dtype
    return {"cuda": torch.bfloat16, "mps": torch.float16}.get(device.type, torch.float32)


def read(
    checkpoint: Checkpoint, *, device: torch.device, dtype: torch.dtype, trust_remote_code: bool = False
) -> tuple[Any, Any]:
    """(torch model in evaluation mode, tokenizer). Reads local files and safetensors only.

    Raises `ModelIncomplete` for files that cannot be read or do not fit each other.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = str(checkpoint.folder)
    local = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    with _quietly():
        try:
            tokenizer = AutoTokenizer.from_pretrained(folder, **local)
            module, loaded = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **local
            )
        except SafetensorError as error:
            raise ModelIncomplete(f"the weights in {folder!r} cannot be read ({error}): fetch them again") from None
        except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
            cause = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ModelIncomplete(f"the model in {folder!r} cannot be loaded: {cause[:300]}") from error
    missing = sorted(loaded["missing_keys"])
    if missing:
        raise ModelIncomplete(
            f"the weights in {folder!r} lack {missing[0]} and {len(missing) - 1} more that config.json asks for: "
            f"fetch them again"
        )
    return module.to(device).eval(), tokenizer


class _NoKernelNotice(logging.Filter):
    """Drops the notice that an optional CUDA kernel is absent: nothing that a user of a small model can act on."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "falling back to its reference PyTorch implementation" not in record.getMessage()


@contextmanager
def _quietly() -> Iterator[None]:
    """Without a progress bar for a load of milliseconds, and without the kernel notice from here on."""
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
