"""``hybridmem mcp``: the memory as a server of the Model Context Protocol."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from hybridmem.cli.invocation import Invocation, command

app = typer.Typer()
PORT = 8378


@command(app, panel="Connect")
def mcp(
    call: Invocation,
    http: Annotated[
        bool, typer.Option("--http", help="Serve streamable HTTP on 127.0.0.1 instead of stdin and stdout.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port of --http; 0 takes a free one.")] = PORT,
    token: Annotated[
        str | None,
        typer.Option(metavar="TOKEN", envvar="HYBRIDMEM_TOKEN", help="The token of --http, in place of a random one."),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Serve the memory of the project in DIR, below the namespace, as `install --by project` keeps it.",
        ),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="A web page whose scripts may connect to --http, as http://localhost:6274; may be repeated.",
        ),
    ] = None,
) -> None:
    """Serve the memory to MCP clients: remember, recall, ask, forget, why, dream_status, profile, reflect, edit_block,
    and memories as resources.

    A client starts it and talks over stdin and stdout, or connects to --http with the bearer token. It serves only the
    given namespace. Without --token, --http makes a token and shows it once, on stderr."""
    if project is not None:
        from hybridmem.coding_agents.project import namespace_of

        call = replace(call, namespace=namespace_of(call.namespace, Path(project)))
    if not http:
        from hybridmem.server.mcp import stdio

        with call.open(create=True) as memory:
            stdio.serve(memory)
        return
    from hybridmem.server.mcp.http import serve
    from hybridmem.server.tokens import new_token

    made = new_token() if token is None else None

    def ready(address: str) -> None:
        lines = [f"hybridmem serves {call.folder} to MCP clients at {address}; Ctrl-C ends it"]
        if made is not None:
            lines.append(f"token for {'/'.join(call.namespace)}, shown this once: {made}")
        print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201

    with call.open(create=True) as memory:
        serve(memory, port=port, token=str(made if token is None else token), origins=cors_origin or (), ready=ready)
