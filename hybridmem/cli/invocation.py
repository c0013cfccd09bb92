"""The options that every command takes, and how a command becomes one of the application's."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.console import Console, RenderableType

from hybridmem.cli import errors, output
from hybridmem.core import arguments
from hybridmem.core.errors import NotAMemory
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import to_json

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory
    from hybridmem.workspace import Redact

STDOUT = "-"
FOLDER = "memory"
"""The memory folder where none is named."""
NAMED = 8
"""Namespaces that a note names."""

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
        help="A causal language model, by folder, GGUF file or Hugging Face name; device=, dtype=, quantize=, "
        "memory= and answers= may follow it, after commas (default: HYBRIDMEM_MODEL, or what `hybridmem models` says).",
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
VectorsOption = Annotated[
    str | None,
    typer.Option(
        "--vectors",
        metavar="NAME",
        help="The vector index: chroma, memory or a Chroma server's http://HOST:PORT, whose token is in "
        "HYBRIDMEM_CHROMA_TOKEN (default: HYBRIDMEM_VECTORS, or chroma).",
    ),
]
ReaderOption = Annotated[
    str | None,
    typer.Option(
        "--reader",
        metavar="NAME",
        help="Who reads and writes language for the memory: openai:MODEL@http://HOST:PORT/v1, with the key in "
        "OPENAI_API_KEY, or model:NAME; price_in=, price_out=, max_reader_tokens=, at_once=, timeout= and retries= may "
        "follow, after commas. It is sent what it reads (default: HYBRIDMEM_READER, or the memory's model).",
    ),
]
RedactOption = Annotated[
    str | None,
    typer.Option(
        "--redact",
        metavar="WHEN",
        help="When passwords, keys, tokens and card numbers are removed from texts: train, before every training, or "
        "store, also before they are written (default: HYBRIDMEM_REDACT, or train).",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
JsonFileOption = Annotated[
    str | None,
    typer.Option("--json", metavar="OUT", help="Write the figures to OUT as one JSON object; alone or -, print it."),
]


COMMON = {
    "memory": MemoryOption,
    "namespace": NamespaceOption,
    "model": ModelOption,
    "embedder": EmbedderOption,
    "vectors": VectorsOption,
    "reader": ReaderOption,
    "redact": RedactOption,
}
"""The options of every command that name what it works on."""
BACKENDS = ("vectors", "reader", "redact")
"""Those that a command leaves out which opens a memory of its own."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """Which memory a command works on, and in which form it answers."""

    folder: Path
    namespace: Namespace
    model: str | None
    embedder: str | None
    vectors: str | None
    reader: str | None
    redact: str
    json: str | None
    """Where the JSON object goes: None for nowhere, ``-`` for stdout, which then carries nothing else, or a file."""

    names_folder: bool = True
    """Whether the user named the folder, and it is not the default one."""

    @property
    def as_json(self) -> bool:
        return self.json == STDOUT

    def open(self, *, create: bool = False, whole_folder: bool = False) -> HybridMemory:
        """The memory. Without `create`, a missing folder raises `NotAMemory`, and where the namespace is empty and the
        folder has others, stderr names them; not for a command on the `whole_folder`."""
        from hybridmem.memory import HybridMemory

        if not create and not self.folder.exists():
            raise NotAMemory(
                f"no memory at {self.folder}: make one with `hybridmem add TEXT`, or name its folder with --memory DIR"
            )
        memory = HybridMemory.open(
            self.folder,
            namespace=self.namespace,
            model=self.model,
            embedder=self.embedder,
            vectors=self.vectors,
            reader=self.reader,
            redact=cast("Redact", self.redact),
        )
        if not create and not whole_folder:
            _tell_of_others(memory.namespaces(), self.namespace)
        return memory

    def answer(self, record: Any, *rendered: RenderableType) -> None:
        """Print the command's result: `record` as JSON, or `rendered` for people."""
        if self.as_json:
            output.print_json(record)
            return
        console = output.console()
        output.paged(console, rendered)
        if self.json is not None:
            _write_json(record, Path(self.json))
            console.print(output.plain(f"figures written to {self.json}", "dim"))

    def console(self) -> Console:
        """Where a long report goes, with rich's markup: stdout, unless that is for the JSON object alone."""
        return output.console(stderr=self.as_json, markup=True)


@dataclass(frozen=True, slots=True)
class Defaults:
    """Options given before the command's name or in the environment."""

    memory: str = FOLDER
    namespace: str = "default"
    model: str | None = None
    embedder: str | None = None
    vectors: str | None = None
    reader: str | None = None
    redact: str | None = None
    json: bool = False


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    panel: str | None = None,
    json_file: bool = False,
    backends: bool = True,
    default: bool = False,
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function whose first parameter is an `Invocation` a command of `app`, with the common options.

    A parameter whose type is a dataclass stands for the options that its fields declare. Without `backends` it takes no
    `BACKENDS`. With `default` it is what the group `app` does where no command of its follows. What the function raises
    of `errors.EXPECTED` becomes one line on stderr and the exit code 2."""
    names = [each for each in COMMON if backends or each not in BACKENDS]

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = _own_parameters(function)

        @functools.wraps(function)
        def run(context: typer.Context, **given: Any) -> None:
            common = {key: given.pop(key, None) for key in (*COMMON, "json")}
            if default and context.invoked_subcommand is not None:
                context.obj = _defaults(context, common)
                return
            try:
                call = _invocation(context, **common)
                function(call, **_grouped(own, given))
                sys.stdout.flush()
            except errors.EXPECTED as error:
                raise typer.Exit(errors.report(error, as_json=wants_json(context, common["json"]))) from None

        parameters = _parameters(own, names, json_file=json_file)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in parameters}
        if default:
            app.callback(invoke_without_command=True)(run)
        else:
            app.command(name, rich_help_panel=panel)(run)
        return function

    return register


def _defaults(context: typer.Context, given: Mapping[str, Any]) -> Defaults:
    """The options before a group's name, and those `given` behind it, for the command that follows."""
    before = context.obj if isinstance(context.obj, Defaults) else Defaults()
    return dataclasses.replace(before, **{name: value for name, value in given.items() if value not in (None, False)})


def wants_json(context: typer.Context, given: bool | str | None) -> bool:
    """Whether stdout carries nothing but a JSON object."""
    defaults = context.obj if isinstance(context.obj, Defaults) else Defaults()
    return given is True or given == STDOUT or (not given and defaults.json)


def _invocation(
    context: typer.Context,
    memory: str | None,
    namespace: str | None,
    model: str | None,
    embedder: str | None,
    vectors: str | None,
    reader: str | None,
    redact: str | None,
    json: bool | str | None,
) -> Invocation:
    defaults = context.obj if isinstance(context.obj, Defaults) else Defaults()
    return Invocation(
        folder=arguments.path("--memory", memory if memory is not None else defaults.memory),
        namespace=checked_namespace(namespace if namespace is not None else defaults.namespace),
        model=model if model is not None else defaults.model,
        embedder=embedder if embedder is not None else defaults.embedder,
        vectors=vectors if vectors is not None else defaults.vectors,
        reader=reader if reader is not None else defaults.reader,
        redact=redact or defaults.redact or "train",
        json=STDOUT if wants_json(context, json) else (json or None) if isinstance(json, str) else None,
        names_folder=memory is not None or defaults.memory != FOLDER,
    )


def _tell_of_others(filled: Sequence[Namespace], namespace: Namespace) -> None:
    """A mistyped or forgotten namespace looks like a memory that has lost everything."""
    if not filled or namespace in filled:
        return
    names = ["/".join(each) for each in sorted(filled)]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    print(  # noqa: T201
        f"note: the namespace {'/'.join(namespace)} is empty; this folder has {', '.join(names[:NAMED])}{more}: "
        "choose one with --namespace",
        file=sys.stderr,
        flush=True,
    )


def _own_parameters(function: Callable[..., None]) -> list[inspect.Parameter]:
    """The function's parameters without its first, the `Invocation`."""
    _, *own = inspect.signature(function, eval_str=True).parameters.values()
    return own


def _options(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """The options that a parameter stands for: the fields of a dataclass, or itself."""
    if not _is_group(parameter):
        return [parameter]
    return list(inspect.signature(parameter.annotation, eval_str=True).parameters.values())


def _is_group(parameter: inspect.Parameter) -> bool:
    return dataclasses.is_dataclass(parameter.annotation)


def _grouped(own: Sequence[inspect.Parameter], given: dict[str, Any]) -> dict[str, Any]:
    """The values of the options `given`, by the function's `own` parameters."""
    values: dict[str, Any] = {}
    for parameter in own:
        options = {option.name: given[option.name] for option in _options(parameter)}
        values[parameter.name] = parameter.annotation(**options) if _is_group(parameter) else options[parameter.name]
    return values


def _parameters(own: Sequence[inspect.Parameter], names: Sequence[str], *, json_file: bool) -> list[inspect.Parameter]:
    """What Typer is to read: the function's `own` options, then the common ones of these `names`, all by keyword."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter("context", keyword, annotation=typer.Context),
        *(option.replace(kind=keyword) for parameter in own for option in _options(parameter)),
        *(inspect.Parameter(name, keyword, default=None, annotation=COMMON[name]) for name in names),
        inspect.Parameter("json", keyword, default=None, annotation=JsonFileOption)
        if json_file
        else inspect.Parameter("json", keyword, default=False, annotation=JsonOption),
    ]


def _write_json(record: Any, path: Path) -> None:
    import json

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(to_json(record), indent=2) + "\n", encoding="utf-8")
