"""The options that every command takes, and how a command becomes one of the application's."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType

from hybridmem.cli import errors, output
from hybridmem.core.errors import NotAMemory
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import to_json

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

STDOUT = "-"

MemoryOption = Annotated[
    str | None, typer.Option("--memory", metavar="DIR", help="The memory folder (default: HYBRIDMEM_DIR, or ./memory).")
]
NamespaceOption = Annotated[
    str | None,
    typer.Option(
        "--namespace", metavar="NAME", help="Whose memory, as in users/ana (default: HYBRIDMEM_NAMESPACE, or default)."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="MODEL",
        help="A causal language model, by folder or Hugging Face name; device=, dtype=, quantize= and memory= may "
        "stand behind it, after commas (default: HYBRIDMEM_MODEL, or the bundled one).",
    ),
]
EmbedderOption = Annotated[
    str | None,
    typer.Option(
        "--embedder",
        metavar="NAME",
        help="An embedding model: all-MiniLM-L6-v2, hashing or sentence-transformers:FOLDER "
        "(default: HYBRIDMEM_EMBEDDER, or all-MiniLM-L6-v2).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
JsonFileOption = Annotated[
    str | None,
    typer.Option("--json", metavar="OUT", help="Write the figures to OUT as one JSON object; alone or -, print it."),
]


@dataclass(frozen=True, slots=True)
class Invocation:
    """Which memory a command works on, and how it is to speak."""

    folder: Path
    namespace: Namespace
    model: str | None
    embedder: str | None
    json: str | None
    """Where the JSON object goes: None for nowhere, ``-`` for stdout (and nothing else goes there), or a file."""

    @property
    def as_json(self) -> bool:
        return self.json == STDOUT

    def open(self, *, create: bool = False) -> HybridMemory:
        """The memory. Without `create`, a folder that is not there raises `NotAMemory` instead of being made."""
        from hybridmem.memory import HybridMemory

        if not create and not self.folder.exists():
            raise NotAMemory(
                f"no memory at {self.folder}: make one with `hybridmem add TEXT`, or name its folder with --memory DIR"
            )
        return HybridMemory.open(self.folder, namespace=self.namespace, model=self.model, embedder=self.embedder)

    def answer(self, record: Any, *shown: RenderableType) -> None:
        """Print the command's result: `record` as JSON, or `shown` for people."""
        if self.as_json:
            output.print_json(record)
            return
        console = output.console()
        output.paged(console, shown)
        if self.json is not None:
            _write_json(record, Path(self.json))
            console.print(output.plain(f"figures written to {self.json}", "dim"))

    def console(self) -> Console:
        """Where a long story is told, with rich's markup: stdout, unless that is for the JSON object alone."""
        return output.console(stderr=self.as_json, markup=True)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What was given before the command's name, or in the environment."""

    memory: str = "memory"
    namespace: str = "default"
    model: str | None = None
    embedder: str | None = None
    json: bool = False


def command(
    app: typer.Typer, name: str | None = None, *, panel: str | None = None, json_file: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function whose first parameter is an `Invocation` a command of `app`, with the common options.

    What it raises of `errors.EXPECTED` becomes one line on stderr and the exit code 2."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(context: typer.Context, **given: Any) -> None:
            common = {key: given.pop(key) for key in ("memory", "namespace", "model", "embedder", "json")}
            try:
                call = _invocation(context, **common)
                function(call, **given)
                sys.stdout.flush()
            except errors.EXPECTED as error:
                raise typer.Exit(errors.report(error, as_json=wants_json(context, common["json"]))) from None

        parameters = _parameters(function, json_file=json_file)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        app.command(name, rich_help_panel=panel)(run)
        return function

    return register


def wants_json(context: typer.Context, given: bool | str | None) -> bool:
    """Whether stdout is for a JSON object alone."""
    defaults = context.obj if isinstance(context.obj, Defaults) else Defaults()
    return given is True or given == STDOUT or (not given and defaults.json)


def _invocation(
    context: typer.Context,
    memory: str | None,
    namespace: str | None,
    model: str | None,
    embedder: str | None,
    json: bool | str | None,
) -> Invocation:
    defaults = context.obj if isinstance(context.obj, Defaults) else Defaults()
    return Invocation(
        folder=Path(memory if memory is not None else defaults.memory),
        namespace=checked_namespace(namespace if namespace is not None else defaults.namespace),
        model=model if model is not None else defaults.model,
        embedder=embedder if embedder is not None else defaults.embedder,
        json=STDOUT if wants_json(context, json) else (json or None) if isinstance(json, str) else None,
    )


def _parameters(function: Callable[..., None], *, json_file: bool) -> list[inspect.Parameter]:
    """The function's own parameters without its first, then the common options, all by keyword."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        *(each.replace(kind=keyword) for each in own),
        inspect.Parameter("memory", keyword, default=None, annotation=MemoryOption),
        inspect.Parameter("namespace", keyword, default=None, annotation=NamespaceOption),
        inspect.Parameter("model", keyword, default=None, annotation=ModelOption),
        inspect.Parameter("embedder", keyword, default=None, annotation=EmbedderOption),
        inspect.Parameter("json", keyword, default=None, annotation=JsonFileOption)
        if json_file
        else inspect.Parameter("json", keyword, default=False, annotation=JsonOption),
    ]


def _write_json(record: Any, path: Path) -> None:
    import json

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(record), indent=2) + "\n", encoding="utf-8")
