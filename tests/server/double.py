"""The real server over a model that is none, in a process of its own: ``python -m tests.server.double OPTIONS``.

OPTIONS is a JSON object: the folder, the tokens, the limits, an upstream. It prints its URL once it is ready."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from hybridmem.core.clock import utc_now
from hybridmem.core.errors import UnknownDream
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import DreamReport, new_id
from hybridmem.jobs import DreamJob
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server import uvicorn_server as run
from hybridmem.server.app import build
from hybridmem.server.limits import Limits
from hybridmem.server.tokens import Tokens
from hybridmem.server.upstream import Upstream


class Jobs:
    """Dream jobs that never dream: each runs until it is canceled, but those of the recipe `naive` are done at once."""

    def __init__(self) -> None:
        self.made: dict[tuple[Namespace, str], DreamJob] = {}

    def start(self, namespace: Namespace, recipe: str = "default") -> DreamJob:
        now = utc_now()
        job = DreamJob(new_id("job"), namespace, "running", now, now, recipe=recipe, usage={"seconds": 0.5})
        if recipe == "naive":
            report = DreamReport(new_id("dr"), namespace, "nothing", 1, now, 0.5)
            job = replace(job, status="completed", ended_at=now, report=report)
        self.made[namespace, job.id] = job
        return job

    def get(self, namespace: Namespace, id: str) -> DreamJob:
        if (namespace, id) not in self.made:
            raise UnknownDream(f"no dream {id!r} in {'/'.join(namespace)}")
        return self.made[namespace, id]

    def list(self, namespace: Namespace) -> list[DreamJob]:
        return [job for (home, _), job in reversed(self.made.items()) if home == namespace]

    def cancel(self, namespace: Namespace, id: str) -> DreamJob:
        job = self.get(namespace, id)
        if job.open:
            job = self.made[namespace, id] = replace(job, status="canceled", ended_at=utc_now())
        return job


@dataclass(frozen=True)
class Options:
    folder: str
    tokens: str
    """The token file."""
    limits: dict[str, float]
    upstream: str | None = None


def main(options: Options) -> None:
    limits = replace(Limits(), **options.limits)  # type: ignore[arg-type]
    upstream = Upstream(options.upstream, os.environ.get("UPSTREAM_KEY")) if options.upstream else None
    with (
        HybridMemory.open(options.folder, model=FakeModel(), embedder="hashing") as memory,
        run.bind("127.0.0.1", 0) as listener,
    ):
        tokens = Tokens.read(Path(options.tokens))
        hosts = run.allowed_hosts("127.0.0.1")
        app = build(memory, tokens, jobs=Jobs(), upstream=upstream, limits=limits, hosts=hosts)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        run.serve(app, listener, limits, lambda: print(url, flush=True))


if __name__ == "__main__":
    main(Options(**json.loads(sys.argv[1])))
