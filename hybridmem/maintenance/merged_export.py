"""An adapter and its base as one model, for programs that take no adapters: a model folder, or a GGUF file.

An export is a copy. No deletion reaches it, so that it has to be made anew when something was deleted.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hybridmem.adapters import files
from hybridmem.core.errors import InvalidInput
from hybridmem.models import prompts
from hybridmem.workspace import Workspace

if TYPE_CHECKING:
    import torch

    from hybridmem.models.huggingface.model import HuggingFaceModel

Format = Literal["merged", "gguf"]
"""``merged``: a complete model folder. ``gguf``: that model as one file, with a Modelfile for Ollama."""
GGUF = "model.gguf"
MODELFILE = "Modelfile"
_ASKED = "QUESTION"
"""Stands for what a user asks, while a prompt is turned into a template."""


def export_merged(workspace: Workspace, version: str, destination: Path, form: Format) -> Path:
    """Write a verified version to the new or empty folder `destination`, whole or not at all, and return it.

    Raises `UnknownAdapter`, `CorruptAdapter`, `WrongBase`, and `InvalidInput` for a folder that is not empty or a model
    that has no such form."""
    files.require_new(destination)
    workspace.adapters.get(version)
    model = _whole(workspace, form)
    workspace.adapters.verify(version, base=model.name, base_sha256=model.sha256)
    if form == "gguf":
        from hybridmem.models.huggingface import gguf_export

        gguf_export.require(model.module, model.tokenizer)
    unfinished = destination.with_name(f"{files.UNFINISHED}{destination.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        _write(model, workspace.adapters.path(version), unfinished, form)
        unfinished.replace(destination)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return destination


def _whole(workspace: Workspace, form: Format) -> HuggingFaceModel:
    from hybridmem.models.huggingface.model import HuggingFaceModel

    model = workspace.model
    if not isinstance(model, HuggingFaceModel):
        raise InvalidInput(f"the model {model.name!r} has no weights to merge: leave --format {form} out")
    return model


def _write(model: HuggingFaceModel, adapter: Path, folder: Path, form: Format) -> None:
    from hybridmem.models.huggingface import checkpoint
    from hybridmem.models.huggingface.merging import merged_base

    module, dtype = merged_base(model.weights_folder, adapter)
    if form == "merged":
        checkpoint.write(module, model.tokenizer, folder, dtype)
    else:
        _write_gguf(model, module, dtype, folder)


def _write_gguf(model: HuggingFaceModel, module: torch.nn.Module, dtype: torch.dtype, folder: Path) -> None:
    from hybridmem.models.huggingface import gguf_export

    gguf_export.write(
        folder / GGUF, module, model.tokenizer, name=f"{model.name}, with memories", end_id=model.end_id, dtype=dtype
    )
    (folder / MODELFILE).write_text(_modelfile(model), encoding="utf-8")


def _modelfile(model: HuggingFaceModel) -> str:
    """Ollama asks as a night taught it to be asked: closed-book, greedily."""
    prompt = model.tokenizer.decode(model.render(prompts.answer(_ASKED)), skip_special_tokens=False)
    before, _, after = prompt.rpartition(_ASKED)
    end = model.tokenizer.decode([model.end_id], skip_special_tokens=False)
    return (
        f"FROM ./{GGUF}\n"
        f'TEMPLATE """{before}{{{{ .Prompt }}}}{after}{{{{ .Response }}}}{end}"""\n'
        f'PARAMETER stop "{end}"\n'
        f"PARAMETER temperature 0\n"
    )
