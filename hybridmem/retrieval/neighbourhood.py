"""What is said around a hit: an answer often stands one turn after the words that the query shares."""

from __future__ import annotations

from collections.abc import Sequence

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode
from hybridmem.core.text.questions import ends_as_question
from hybridmem.retrieval.settings import RetrievalSettings
from hybridmem.stores.ledger.memories import Memories


def shares(
    ledger: Memories, namespace: Namespace, anchors: Sequence[tuple[Episode, float]], settings: RetrievalSettings
) -> tuple[dict[str, float], dict[str, Episode]]:
    """(share of each turn by id, those turns) around `anchors`: episodes with their scores, which are positive.

    A turn near several anchors gets a share of each."""
    distance = max(len(settings.before), len(settings.after))
    shared: dict[str, float] = {}
    turns: dict[str, Episode] = {}
    near = ledger.around(namespace, [anchor.id for anchor, _ in anchors], distance=distance) if distance else {}
    for anchor, score in anchors:
        around = near.get(anchor.id, [])
        before = [turn for turn in reversed(around) if turn.position < anchor.position]
        after = [turn for turn in around if turn.position > anchor.position]
        reply = settings.reply if ends_as_question(anchor.text) else 0.0
        weights_after = [weight + (reply if step == 0 else 0.0) for step, weight in enumerate(settings.after)]
        for side, weights in ((before, settings.before), (after, weights_after)):
            for turn, weight in zip(side, weights, strict=False):
                shared[turn.id] = shared.get(turn.id, 0.0) + weight * score
                turns[turn.id] = turn
    return shared, turns
