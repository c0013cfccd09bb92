"""The numbers of a search, with the values that were measured best."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """Weights are in standard deviations of a searcher's scores, so that 1.0 of one is worth 1.0 of another.

    Tuned on LoCoMo conversations 1 to 3 for recall@10 of the evidence; `anchors`, `spoken` and `asks` on 1 to 5, where
    four choose for the fifth (docs/experiments.md)."""

    pool: int = 100
    """Candidates that each searcher names."""
    considered: int = 60
    """Best-fused candidates whose records are read."""
    dense: float = 0.8
    """Weight of the cosine similarity."""
    lexical: float = 1.0
    """Weight of BM25."""
    graph: float = 0.3
    """Weight of the personalised PageRank."""
    graph_limit: float = 3.0
    """Standard deviations of it that count in full: few memories name an entity, and one of few stands far out."""
    anchors: int = 20
    """Best episodes that share their score with the turns around them."""
    after: tuple[float, ...] = (0.5, 0.3)
    """Share of an anchor's score for the first turn after it, the second ..."""
    before: tuple[float, ...] = (0.4, 0.3)
    """The same for the turns before it."""
    reply: float = 0.2
    """Added to the first share of `after` when the anchor is a question: what follows is its answer."""
    named: float = 1.2
    """For an episode whose speaker, or a fact whose subject, the query names."""
    spoken: float = 1.3
    """Added to `named` for the episode: people tell of themselves what others only ask them."""
    asks: float = 2.0
    """Taken from an episode that only asks, where the query is a question, unless the query quotes it: it waits for an
    answer more often than it gives one. One that ends in a question loses by the share of its words that ask."""
    period: float = 6.0
    """For a memory that was said in the period which the query names, or that names a time in it; 0 looks at no
    dates."""
    tells_when: float = 3.0
    """For a memory that names a time, where the query asks for one."""
    superseded: float = 2.0
    """Taken from an episode of which extracted facts replaced all that was extracted, where these bear on the query,
    unless it quotes the episode."""
    repeated: float = 4.0
    """Taken from a fact where all messages that it was read from are shown before it, themselves or by their facts."""
    behind_its_fact: float = 1.0
    """Taken from an episode where a fact that was read from it is shown before it, unless the query quotes it."""
    decay: float = 2.0
    """Taken from a memory that is infinitely old, where a search has a half-life; half of it after one half-life."""
