"""Readers by name."""

from __future__ import annotations

import os

from hybridmem.core.errors import InvalidInput
from hybridmem.core.registry import Registry
from hybridmem.models.reader.base import Reader
from hybridmem.models.reader.langchain import ChatModel, LangChainReader
from hybridmem.models.reader.openai_api import OPENAI_KEY, OPENAI_URL, OPENAI_URL_VARIABLE, OpenAIReader
from hybridmem.models.reader.settings import parse

READERS: Registry[None, Reader] = Registry("reader")
OPENAI = "openai:"


def require_reader(name: str) -> None:
    """Raise `InvalidInput` for a name that stands for no reader, or has an option that there is none of."""
    READERS.require(name)
    if name.startswith(OPENAI):
        parse(name)


def load_reader(given: str | Reader | ChatModel) -> Reader:
    """The reader of this name (see `READERS`), a `Reader` itself, or a LangChain chat model as one.

    Raises `InvalidInput`, `MissingExtra`, and for a model's name what `models.load` does."""
    if isinstance(given, str):
        return READERS.make(given, None)
    # Chat models of LangChain have a `generate` of another form.
    if isinstance(given, ChatModel):
        return LangChainReader(given)
    if isinstance(given, Reader):
        return given
    raise InvalidInput(
        f"what is a {type(given).__name__} cannot read: pass a name ({', '.join(READERS.forms())}), a LangChain chat "
        f"model or an object with the method `generate` of hybridmem.models.reader.Reader"
    )


def _openai(name: str, given: None) -> Reader:
    bare, settings = parse(name)
    model, at, rest = bare.removeprefix(OPENAI).partition("@http")
    url = f"http{rest}" if at else os.environ.get(OPENAI_URL_VARIABLE) or OPENAI_URL
    return OpenAIReader(model, url, key=os.environ.get(OPENAI_KEY), settings=settings)


def _model(name: str, given: None) -> Reader:
    from hybridmem import models

    return models.load(name.removeprefix("model:"))


READERS.register("openai:MODEL", _openai)
READERS.register("openai:MODEL@http://HOST:PORT/v1", _openai)
READERS.register("model:NAME", _model)
