"""Dreams as jobs over HTTP: started, watched, canceled."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from pydantic import Field
from starlette.responses import Response

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json
from hybridmem.dreaming.recipes import FOLDER
from hybridmem.jobs import DreamJob, JobStatus
from hybridmem.server.caller import Reader, Writer, to_response
from hybridmem.server.types import Shape, Strict

router = APIRouter(prefix="/v1/dreams", tags=["dreams"])
RECIPES = sorted(path.stem for path in FOLDER.glob("*.toml"))
Id = Annotated[str, InPath(min_length=1, max_length=200, description="The job's id.")]


class Jobs(Protocol):
    """The methods of `hybridmem.jobs.DreamJobs` that this module uses."""

    def start(self, namespace: Namespace, recipe: str = "default") -> DreamJob: ...

    def get(self, namespace: Namespace, id: str) -> DreamJob: ...

    def list(self, namespace: Namespace) -> list[DreamJob]: ...

    def cancel(self, namespace: Namespace, id: str) -> DreamJob: ...


class StartDream(Strict):
    """How to dream. Recipes are named, never paths: a request reads no file of the server."""

    recipe: str = Field("default", json_schema_extra={"enum": [*RECIPES]}, pattern=f"^({'|'.join(RECIPES)})$")


class Inputs(Shape):
    """What was asked for."""

    namespace: str
    recipe: str


class Outputs(Shape):
    """The results: null before the end."""

    adapter: str | None
    report: dict[str, Any] | None = Field(description="The whole report: steps, gate, test figures, retention.")


class Usage(Shape):
    """What it took."""

    seconds: float
    trained_tokens: float
    peak_memory_mb: float
    reader_calls: float = Field(description="Calls of another model that reads for the memory.")
    reader_prompt_tokens: float
    reader_completion_tokens: float
    reader_cost: float = Field(description="In the currency of the reader's prices; 0 without prices.")


class Failure(Shape):
    """Why it failed, or what stopped it."""

    type: str
    message: str


class Dream(Shape):
    """One consolidation of a namespace, in a process of its own."""

    id: str
    type: Literal["dream"]
    status: JobStatus
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    inputs: Inputs
    outputs: Outputs
    usage: Usage
    error: Failure | None


class Dreams(Shape):
    """Newest first."""

    dreams: list[Dream]


@router.post("", status_code=201, response_model=Dream)
async def start(body: StartDream, caller: Writer, request: Request) -> Response:
    """Start a dream; it waits for its turn while another one has the namespace."""
    jobs: Jobs = request.app.state.jobs
    job = await caller.run("dreams", "jobs", lambda: jobs.start(caller.namespace, body.recipe))
    return to_response(render(job), 201)


@router.get("", response_model=Dreams)
async def list_jobs(caller: Reader, request: Request) -> Response:
    """The namespace's dreams that wait or run, and the last that ended."""
    jobs: Jobs = request.app.state.jobs
    found = await caller.run("dreams", "jobs", lambda: jobs.list(caller.namespace))
    return to_response({"dreams": [render(job) for job in found]})


@router.get("/{id}", response_model=Dream)
async def get(id: Id, caller: Reader, request: Request) -> Response:
    """The state of a dream."""
    jobs: Jobs = request.app.state.jobs
    return to_response(render(await caller.run("dreams", "jobs", lambda: jobs.get(caller.namespace, id))))


@router.post("/{id}/cancel", response_model=Dream)
async def cancel(id: Id, caller: Writer, request: Request) -> Response:
    """Stop a dream: nothing is promoted, and the next one resumes it. One that has ended stays as it is."""
    jobs: Jobs = request.app.state.jobs
    return to_response(render(await caller.run("dreams", "jobs", lambda: jobs.cancel(caller.namespace, id))))


def render(job: DreamJob) -> dict[str, Any]:
    """A job in the shape of the API."""
    failure = {"type": job.error_type or job.status, "message": job.error} if job.error is not None else None
    shaped: dict[str, Any] = to_json(
        {
            "id": job.id,
            "type": "dream",
            "status": job.status,
            "created_at": job.created_at,
            "started_at": job.started_at,
            "ended_at": job.ended_at,
            "inputs": {"namespace": "/".join(job.namespace), "recipe": job.recipe},
            "outputs": {"adapter": job.report.adapter if job.report else None, "report": job.report},
            "usage": {name: job.usage.get(name, 0.0) for name in Usage.model_fields},
            "error": failure,
        }
    )
    return shaped
