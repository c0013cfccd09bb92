"""OpenAI's embeddings and models: the memory's own, and an upstream's where there is one."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from starlette.responses import Response

from hybridmem.core.arguments import kind_of
from hybridmem.retrieval.shortlist import estimated_tokens
from hybridmem.server.caller import Caller, Reader, to_response
from hybridmem.server.chat import NAME, unknown_model
from hybridmem.server.openai_schemas import EmbeddingRequest, Embeddings, Model, Models
from hybridmem.server.problems import Refusal
from hybridmem.server.upstream import Upstream

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])
MOST_TEXTS = 2048
MOST_CHARACTERS = 100_000
"""Of one text."""


@router.post("/embeddings", response_model=Embeddings)
async def embed(body: EmbeddingRequest, caller: Reader, request: Request) -> Response:
    """Vectors by the memory's embedding model. Requests for another model go to the upstream, if there is one."""
    embedder = caller.memory.indexes.embedder
    upstream: Upstream | None = request.app.state.upstream
    if body.model not in (NAME, embedder.name):
        if upstream is None:
            raise unknown_model(body.model, (NAME, embedder.name))
        return to_response(await upstream.post("embeddings", body.model_dump(exclude_unset=True)))
    texts = _texts(body.input)
    vectors = await caller.run("embed", "search", lambda: embedder.embed(texts))
    if body.dimensions not in (None, vectors.shape[1]):
        raise Refusal(400, f"{embedder.name} has {vectors.shape[1]} dimensions: leave dimensions out")
    coded = [
        base64.b64encode(vector.astype("<f4").tobytes()).decode()
        if body.encoding_format == "base64"
        else vector.tolist()
        for vector in vectors
    ]
    tokens = sum(map(estimated_tokens, texts))
    data = [{"object": "embedding", "index": at, "embedding": each} for at, each in enumerate(coded)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return to_response({"object": "list", "data": data, "model": embedder.name, "usage": usage})


def _texts(given: str | list[Any]) -> list[str]:
    """The texts to embed. Raises `Refusal` by name for tokens, for none, for too many, and for an empty or long one."""
    texts = [given] if isinstance(given, str) else given
    if not texts or len(texts) > MOST_TEXTS:
        raise Refusal(400, f"input has {len(texts):,} texts: send 1 to {MOST_TEXTS:,} at a time")
    if any(isinstance(each, int | list) for each in texts):
        raise Refusal(
            400,
            "input has tokens, and this embedding model reads texts: send texts "
            "(in LangChain's OpenAIEmbeddings, check_embedding_ctx_length=False)",
        )
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise Refusal(400, f"input[{place}] is {kind_of(text)}: send a text")
        if not text or len(text) > MOST_CHARACTERS:
            raise Refusal(400, f"input[{place}] has {len(text):,} characters: send 1 to {MOST_CHARACTERS:,} a text")
    return texts


@router.get("/models", response_model=Models)
async def list_models(caller: Reader, request: Request) -> Response:
    """The models that a request may name."""
    return to_response({"object": "list", "data": await _models(caller, request.app.state.upstream)})


@router.get("/models/{id:path}", response_model=Model)
async def get_model(
    id: Annotated[str, InPath(min_length=1, max_length=200)], caller: Reader, request: Request
) -> Response:
    """One of them; a Hugging Face model's name has a slash in it."""
    models = await _models(caller, request.app.state.upstream)
    for model in models:
        if model.get("id") == id:
            return to_response(model)
    raise unknown_model(id, [str(model.get("id")) for model in models])


async def _models(caller: Caller, upstream: Upstream | None) -> list[dict[str, Any]]:
    memory = caller.memory
    own = [memory.indexes.embedder.name]
    if upstream is None:
        own = [NAME, await caller.run("model", "model", lambda: memory.model.name), *own]
    named = [{"id": name, "object": "model", "created": 0, "owned_by": "hybridmem"} for name in dict.fromkeys(own)]
    if upstream is None:
        return named
    theirs = (await upstream.get("models")).get("data")
    return [*(each for each in theirs if isinstance(each, dict)), *named] if isinstance(theirs, list) else named
