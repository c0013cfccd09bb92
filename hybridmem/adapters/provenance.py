"""Digests that say what an adapter was trained on. Both are pure functions of content: no ids, no times, no paths.

`data_sha256` names the data, in any order: two memories that were taught the same facts have the same one.
`training_key` names one training, step by step: a stopped training may be resumed under the same key and no other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hybridmem.core.records import AdapterRecord, Fact, TrainingItem, to_json


def data_sha256(facts: Iterable[Fact], items: Iterable[TrainingItem]) -> str:
    """sha256, in hex, of the content of `facts` and of their training `items`, the same in any order.

    The digest is of the canonical JSON (sorted keys, no spaces, ASCII) of a sorted list with one entry for each fact:
    ``[text, items]``, where `items` is the sorted list of ``[kind, question, answer, context, split]``. Lists are
    sorted by their canonical JSON. Items of other facts are left out.

    >>> from datetime import UTC, datetime
    >>> fact = Fact("f1", ("ana",), "Ana", "lives in", "Riga", "Ana lives in Riga.", datetime(2026, 3, 1, tzinfo=UTC))
    >>> data_sha256([fact], []) == hashlib.sha256(b'[["Ana lives in Riga.",[]]]').hexdigest()
    True
    """
    of_fact: dict[str, list[list[Any]]] = {}
    for item in items:
        of_fact.setdefault(item.fact, []).append(_content(item))
    entries = [[fact.text, sorted(of_fact.get(fact.id, ()), key=_canonical)] for fact in facts]
    return _sha256(sorted(entries, key=_canonical))


def training_key(
    *,
    base_sha256: str,
    facts: Sequence[Fact],
    items: Sequence[TrainingItem],
    recipe: Mapping[str, Any],
    seed: int,
    parent: AdapterRecord | None,
) -> str:
    """sha256, in hex, of all that decides what a training does at each of its steps.

    That is the base, the data in the order of `facts` and `items` (the sampler draws by position), those settings of
    the `recipe` that the training reads, the seed, and the weights of the parent. Items of other facts are left out.
    """
    position = {fact.id: number for number, fact in enumerate(facts)}
    return _sha256(
        {
            "base": base_sha256,
            "facts": [fact.text for fact in facts],
            "items": [[position[item.fact], *_content(item)] for item in items if item.fact in position],
            "recipe": to_json(recipe),
            "seed": seed,
            "parent": None if parent is None else dict(parent.files),
        }
    )


def _content(item: TrainingItem) -> list[Any]:
    return [item.kind, item.question, item.answer, list(item.context), item.split]


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _sha256(value: Any) -> str:
    return hashlib.sha256(_canonical(value).encode()).hexdigest()
