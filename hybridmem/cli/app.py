"""The application: its commands, the options before a command's name, and usage errors as one line."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from hybridmem.cli import (
    adapters,
    bench,
    coding_agents,
    completion,
    demo,
    dreams,
    errors,
    inspect,
    maintenance,
    mcp,
    memories,
    models,
    notices,
    schedule,
    serve,
    skills,
    standing,
)
from hybridmem.cli.invocation import STDOUT, Defaults
from hybridmem.core.version import VERSION

QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Set unless the user has set them: libraries that print to the terminal would break the promise of one line."""

# A driver that is interrupted by Ctrl-C logs it with its trace, beside the one line that says so.
logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)

app = typer.Typer(
    name="hybridmem",
    add_completion=False,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (
    demo,
    memories,
    standing,
    skills,
    dreams,
    adapters,
    bench,
    maintenance,
    models,
    mcp,
    coding_agents,
    schedule,
    serve,
    inspect,
    completion,
):
    app.add_typer(part.app)


@app.callback()
def common(
    context: typer.Context,
    memory: Annotated[
        str, typer.Option("--memory", metavar="DIR", envvar="HYBRIDMEM_DIR", help="The memory folder.")
    ] = "memory",
    namespace: Annotated[
        str, typer.Option("--namespace", metavar="NAME", envvar="HYBRIDMEM_NAMESPACE", help="Whose memory.")
    ] = "default",
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", envvar="HYBRIDMEM_MODEL", help="A causal language model."),
    ] = None,
    embedder: Annotated[
        str | None,
        typer.Option("--embedder", metavar="NAME", envvar="HYBRIDMEM_EMBEDDER", help="An embedding model."),
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option("--vectors", metavar="NAME", envvar="HYBRIDMEM_VECTORS", help="The vector index."),
    ] = None,
    reader: Annotated[
        str | None,
        typer.Option("--reader", metavar="NAME", envvar="HYBRIDMEM_READER", help="Who reads language for the memory."),
    ] = None,
    redact: Annotated[
        str | None,
        typer.Option("--redact", metavar="WHEN", envvar="HYBRIDMEM_REDACT", help="When secrets are removed."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Hybrid memory for agents: a store outside the model, and nightly dreams that distil it into LoRA adapters.

    Exit codes: 0 done; 1 the command's own "no" (a gate that refused, a doctor that found something); 2 bad usage or
    input, with one line that says what to do next. The options below work before or after the command."""
    if version:
        typer.echo(f"hybridmem {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
    context.obj = Defaults(memory, namespace, model, embedder, vectors, reader, redact, json)


@functools.cache
def root_command() -> typer.core.TyperGroup:
    """All commands as Click has them, made once."""
    return typer.main.get_group(app)


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name); returns its exit code."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    completion.prepare()
    notices.to_stderr("hybridmem.models", "hybridmem.router")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = root_command().main(args=with_json_target(arguments), prog_name="hybridmem", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "hybridmem"
        hint = f"see `{path} --help`"
        if type(error).__name__ == "NoSuchOption":
            hint = f"put -- before a text that begins with a dash, or {hint}"
        message = f"{error.format_message().rstrip('.')}: {hint}"
        as_json = any(each.partition("=")[0] == "--json" for each in arguments)
        return errors.fail(message, "UsageError", as_json=as_json)
    except BrokenPipeError as error:
        return errors.report(error, as_json=False)
    return code if isinstance(code, int) else errors.DONE


def with_json_target(arguments: Sequence[str]) -> list[str]:
    """`arguments` with ``-`` after a bare ``--json`` of `bench`, where the file is optional."""
    made = list(arguments)
    if "bench" not in made:
        return made
    start = made.index("bench")
    for at in reversed(range(start, len(made))):
        if made[at] == "--json" and (at + 1 == len(made) or made[at + 1].startswith("--")):
            made.insert(at + 1, STDOUT)
    return made
