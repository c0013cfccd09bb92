"""What is exported answers as the base with its adapter does: the command, for a model folder and for a GGUF file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem.adapters.files import UNFINISHED
from hybridmem.cli.app import run
from hybridmem.core.errors import InvalidInput, UnknownAdapter, WrongBase
from hybridmem.maintenance.merged_export import GGUF, MODELFILE, Format, export_merged
from hybridmem.memory import HybridMemory
from hybridmem.models import cache, prompts
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel
from tests.adapters.conftest import record
from tests.dreaming.nights import open_memory
from tests.evaluation.test_side_effects import adapter
from tests.models import families

ASKED = [prompts.answer("Where does Ana live?")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    """With a tokenizer that has merges, as every real one has."""
    folder = families.save("llama", tmp_path_factory.mktemp("base"), layers=1)
    families.tokenizer(merges=[("t", "h"), ("th", "e")]).save_pretrained(folder)
    return HuggingFaceModel.load(folder, device="cpu")


@pytest.fixture
def memory(tmp_path: Path, tiny: HuggingFaceModel, monkeypatch: pytest.MonkeyPatch) -> Iterator[HybridMemory]:
    """Of a model with one adapter, which changes it a lot."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    with open_memory(tmp_path / "memory", tiny) as opened:
        made = record(namespace=opened.namespace, base=tiny.name, base_sha256=tiny.sha256)
        opened.adapters.register(adapter(tiny, tmp_path / "candidate", 0.5), made)
        yield opened


def said(model: HuggingFaceModel, folder: Path | None = None) -> list[float]:
    with model.adapted(folder):
        return model.logprobs(ASKED, ["Riga"])[0]


@pytest.mark.parametrize(("form", "file"), [("merged", "."), ("gguf", GGUF)])
def test_it_answers_as_base_and_adapter_do(
    memory: HybridMemory, tiny: HuggingFaceModel, tmp_path: Path, form: Format, file: str
) -> None:
    root, version, out = memory.folder.root, memory.adapters.path("v0001"), tmp_path / "exported"
    memory.close()
    assert (
        run(
            [
                "adapters",
                "export",
                "v0001",
                str(out),
                "--format",
                form,
                "--model",
                str(tiny.weights_folder),
                "--memory",
                str(root),
                "--namespace",
                "users/ana",
            ]
        )
        == 0
    )
    wanted = said(tiny, version)
    assert said(HuggingFaceModel.load(out / file, device="cpu")) == pytest.approx(wanted, abs=1e-3)
    assert said(tiny) != pytest.approx(wanted, abs=1e-1)


def test_ollama_asks_as_a_night_taught(memory: HybridMemory, tmp_path: Path) -> None:
    folder = export_merged(memory.workspace, "v0001", tmp_path / "exported", "gguf")
    assert (folder / MODELFILE).read_text(encoding="utf-8") == (
        "FROM ./model.gguf\n"
        'TEMPLATE """<|user|>Question: {{ .Prompt }}<|end|><|assistant|>{{ .Response }}<|end|>"""\n'
        'PARAMETER stop "<|end|>"\n'
        "PARAMETER temperature 0\n"
    )


def test_nothing_is_left_of_an_export_that_fails(
    memory: HybridMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hybridmem.models.huggingface.checkpoint.write", full)
    with pytest.raises(OSError, match="No space left"):
        export_merged(memory.workspace, "v0001", tmp_path / "exported", "merged")
    assert not list(tmp_path.glob(f"*{UNFINISHED}*")) and not (tmp_path / "exported").exists()


def test_what_cannot_be_exported_is_refused_before_anything_is_written(memory: HybridMemory, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InvalidInput, match="is there already"):
        export_merged(memory.workspace, "v0001", tmp_path / "full", "merged")
    with pytest.raises(UnknownAdapter):
        export_merged(memory.workspace, "v0009", tmp_path / "out", "merged")
    made = record(namespace=memory.namespace, base="another", base_sha256="b" * 64)
    other = adapter(memory.model, tmp_path / "other", 0.1)  # type: ignore[arg-type]
    memory.adapters.register(other, made)
    with pytest.raises(WrongBase):
        export_merged(memory.workspace, "v0002", tmp_path / "out", "merged")
    assert not (tmp_path / "out").exists()


def test_a_model_without_weights_has_none_to_merge(tmp_path: Path) -> None:
    with open_memory(tmp_path / "memory", FakeModel()) as memory:
        memory.add("Ana lives in Lisbon.")
        memory.dream()
        version = memory.adapters.list()[0].version
        with pytest.raises(InvalidInput, match="has no weights to merge: leave --format gguf out"):
            export_merged(memory.workspace, version, tmp_path / "out", "gguf")
