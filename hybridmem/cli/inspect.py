"""``hybridmem inspect``: the memory in a browser."""

from __future__ import annotations

import secrets
import sys
from typing import Annotated

import typer

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.errors import MissingExtra

app = typer.Typer()
PORT = 8765


@command(app, panel="Find")
def inspect(
    call: Invocation,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port on 127.0.0.1; 0 takes a free one.")] = PORT,
    edit: Annotated[
        bool, typer.Option("--edit", help="Allow changes: words, deletion, quarantine, promotion, a reviewed night.")
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
) -> None:
    """Look inside with a browser: search, timeline, graph, a night to review, dreams, adapters, grounds of an answer.

    Only this machine can open it, with the token in the printed address. Nothing can be changed without --edit."""
    try:
        from hybridmem.inspector.serve import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        raise MissingExtra("the inspector needs Starlette and uvicorn: pip install 'hybridmem[server]'") from None

    def ready(url: str) -> None:
        if call.as_json:
            output.print_json({"url": url, "edit": edit})
            sys.stdout.flush()
            return
        console = output.console()
        console.print(
            output.plain(f"the inspector of {call.folder} is at"), output.plain(url), sep="\n", soft_wrap=True
        )
        how = "changes are allowed" if edit else "read-only: --edit allows changes"
        console.print(output.plain(f"{how}; Ctrl-C ends it", "dim"))
        sys.stdout.flush()
        if not no_browser and sys.stdout.isatty():
            import webbrowser

            webbrowser.open(url)

    with call.open(whole_folder=True) as memory:
        serve(memory, port=port, token=secrets.token_urlsafe(24), edit=edit, ready=ready)
