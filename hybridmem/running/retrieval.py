"""The messages of a session that are nearest to a question: what answers where a model keeps no state."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybridmem.embedding.base import Embedder
from hybridmem.running.chunks import SessionMessage

SHOWN = 5
"""Messages in a prompt at most."""


def nearest(
    messages: Sequence[SessionMessage], question: str, embedder: Embedder, fits: Callable[[Sequence[str]], bool]
) -> list[SessionMessage]:
    """The messages nearest to `question`, at most `SHOWN` and as many as `fits` allows, in their own order."""
    vectors = embedder.embed([question, *(message.line for message in messages)])
    similarity = vectors[1:] @ vectors[0]
    best = sorted(range(len(messages)), key=lambda at: (-similarity[at], -at))[:SHOWN]
    while best and not fits([messages[at].line for at in sorted(best)]):
        best.pop()
    return [messages[at] for at in sorted(best)]
