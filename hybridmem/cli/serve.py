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
        typer.Option("--token-file", metavar="FILE", help="JSON or TOML: the sha256 of each token, its namespaces."),
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
    upstream_key: Annotated[
        str, typer.Option(metavar="VARIABLE", help="The environment variable that holds the upstream's key.")
    ] = KEY_VARIABLE,
) -> None:
    """Serve the memory over HTTP: REST, and OpenAI's chat, embeddings and models. Loopback unless told otherwise.

    Without tokens of yours it makes one for --namespace, and shows it once, on stderr."""
    # Numpy reads it when it loads. Many at once are answered sooner when each keeps to one core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if token_file is not None and token is not None:
        raise InvalidInput("both --token and --token-file are given: pass one of them")
    try:
        from hybridmem.server import uvicorn_server as run
        from hybridmem.server.app import build
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "hybridmem":
            raise
        raise MissingExtra("the HTTP server needs FastAPI: pip install 'hybridmem[server]'") from None
    from hybridmem.jobs import DreamJobs
    from hybridmem.server.limits import Limits
    from hybridmem.server.tokens import Tokens, new_token
    from hybridmem.server.upstream import Upstream

    if token_file is None and not run.is_loopback(host):
        raise InvalidInput(f"{host} can be reached from other machines: name who may come in with --token-file FILE")
    made = new_token() if token_file is None and token is None else None
    tokens = Tokens.read(token_file) if token_file is not None else Tokens.of(token or str(made), call.namespace)
    behind = Upstream(upstream, os.environ.get(upstream_key) or None) if upstream is not None else None
    limits = Limits()
    with call.open(create=True) as memory, run.bind(host, port) as listener:
        application = build(
            memory, tokens, jobs=DreamJobs(memory), upstream=behind, limits=limits, hosts=run.allowed_hosts(host)
        )
        name = f"[{host}]" if ":" in host else host
        url = f"http://{name}:{listener.getsockname()[1]}"

        def ready() -> None:
            told = {"url": url, "namespace": "/".join(call.namespace)}
            if call.as_json:
                print(json.dumps({**told, "token": made}), flush=True)  # noqa: T201
                return
            lines = [f"hybridmem serves {call.folder} at {url} (docs at {url}/docs); Ctrl-C ends it"]
            if made is not None:
                lines.append(f"token for {told['namespace']}, shown this once: {made}")
            print(*lines, sep="\n", file=sys.stderr, flush=True)  # noqa: T201

        run.serve(application, listener, limits, ready)
