"""``hybridmem serve``: the memory over HTTP."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.errors import InvalidInput, MissingExtra

app = typer.Typer()
PORT = 8377
KEY_VARIABLE = "HYBRIDMEM_UPSTREAM_KEY"


@command(app, panel="Connect")
def serve(
    call: Invocation,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = PORT,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file", metavar="FILE", help="JSON or TOML with the sha256 and the namespaces of each token."
        ),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN", envvar="HYBRIDMEM_TOKEN", help="One token for --namespace, in place of a random one."
        ),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Put the memory in front of this OpenAI-compatible server (its /v1)."),
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="A web page whose scripts may send requests, as https://chat.example; may be repeated; * for any.",
        ),
    ] = None,
    upstream_key: Annotated[
        str, typer.Option(metavar="VARIABLE", help="The environment variable that holds the upstream's key.")
    ] = KEY_VARIABLE,
) -> None:
    """Serve the memory over HTTP: REST, and OpenAI's chat, embeddings and models. On loopback unless --host says more.

    Without --token and --token-file, it makes a token for --namespace and shows it once, on stderr."""
    # Numpy reads the variable when it loads. Many requests at once are answered sooner if each keeps to one core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if token_file is not None and token is not None:
        raise InvalidInput("both --token and --token-file are given: pass one of them")
    _require_server()
    from hybridmem.jobs import DreamJobs
    from hybridmem.server import uvicorn_server
    from hybridmem.server.app import build
    from hybridmem.server.limits import Limits
    from hybridmem.server.tokens import Tokens, new_token
    from hybridmem.server.upstream import Upstream

    if token_file is None and not uvicorn_server.is_loopback(host):
        raise InvalidInput(f"{host} can be reached from other machines: name who may come in with --token-file FILE")
    made = new_token() if token_file is None and token is None else None
    tokens = Tokens.read(token_file) if token_file is not None else Tokens.of(token or str(made), call.namespace)
    behind = Upstream(upstream, os.environ.get(upstream_key) or None) if upstream is not None else None
    limits, hosts = Limits(), uvicorn_server.allowed_hosts(host)
    with call.open(create=True) as memory, uvicorn_server.bind(host, port) as listener:
        application = build(
            memory,
            tokens,
            jobs=DreamJobs(memory),
            upstream=behind,
            limits=limits,
            hosts=hosts,
            origins=cors_origin or (),
        )
        url = f"http://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
        uvicorn_server.serve(application, listener, limits, lambda: _announce(call, url, made))


def _require_server() -> None:
    """Raises `MissingExtra` where the packages of the server are not installed."""
    try:
        import hybridmem.server.app  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "hybridmem":
            raise
        raise MissingExtra("the HTTP server needs FastAPI: pip install 'hybridmem[server]'") from None


def _announce(call: Invocation, url: str, token: str | None) -> None:
    """Print the server's address, and the token that was made for it, if any."""
    namespace = "/".join(call.namespace)
    if call.as_json:
        print(json.dumps({"url": url, "namespace": namespace, "token": token}), flush=True)  # noqa: T201
        return
    lines = [f"hybridmem serves {call.folder} at {url} (docs at {url}/docs); Ctrl-C ends it"]
    if token is not None:
        lines.append(f"token for {namespace}, shown this once: {token}")
    print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201
