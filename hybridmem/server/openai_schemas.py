"""OpenAI's objects, with the fields that are read and written here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hybridmem.core.records import Route
from hybridmem.server.types import Count, Integer


class Open(BaseModel):
    """A request that may have further fields: clients send those of the newest API."""

    model_config = ConfigDict(extra="allow", strict=True)


class Part(Open):
    """A part of a content; texts are read, anything else is passed through to an upstream."""

    type: str
    text: str | None = None


class ChatMessage(Open):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None


class StreamOptions(Open):
    """What a stream includes."""

    include_usage: bool | None = None


class ChatRequest(Open):
    """A turn of chat. An upstream gets every field, and judges it. The memory's own model reads those below, `stop`,
    `temperature` and `seed`, and refuses by name what it does not support."""

    model: str = Field(min_length=1, max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=10_000)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Integer | None = None
    max_completion_tokens: Integer | None = None
    user: str | None = Field(None, max_length=200, description="The session that the turn is remembered under.")


class Recalled(BaseModel):
    """A memory that an answer stands on, or that was put in front of a turn."""

    id: str
    text: str
    score: float


class Grounds(BaseModel):
    """On what grounds the memory's own model answered."""

    route: Route | None = Field(
        description="Null for a turn that asks nothing, and for an answer that the conversation itself holds."
    )
    confidence: float | None
    adapter: str | None
    evidence: list[Recalled]


class Said(BaseModel):
    """What the model said."""

    role: Literal["assistant"]
    content: str
    refusal: None


class Choice(BaseModel):
    """The one choice."""

    index: int
    message: Said
    logprobs: None
    finish_reason: Literal["stop", "length"]


class Usage(BaseModel):
    """Tokens, by the model's count."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """A chat completion. One of an upstream has the fields that it has."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    hybridmem: Grounds


class EmbeddingRequest(Open):
    """Texts to embed."""

    model: str = Field(min_length=1, max_length=200)
    input: str | list[Any] = Field(description="A text, or up to 2,048 texts. An upstream's model also gets tokens.")
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Count | None = Field(None, description="The model's own, or nothing.")
    user: str | None = None


class Embedding(BaseModel):
    """One vector: numbers, or the base64 of little-endian float32."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(BaseModel):
    """Tokens, estimated at four characters each."""

    prompt_tokens: int
    total_tokens: int


class Embeddings(BaseModel):
    """In the order of the input."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage


class Model(BaseModel):
    """A model that can be named."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(BaseModel):
    """All of them."""

    object: Literal["list"]
    data: list[Model]
