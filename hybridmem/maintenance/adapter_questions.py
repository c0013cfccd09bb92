"""Two adapter versions asked the same questions, one by one: what was learned, kept, changed and lost between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from hybridmem.adapters.load_verified import load_verified
from hybridmem.core.records import AdapterRecord, Fact, TrainingItem
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel
from hybridmem.workspace import Workspace

Verdict = Literal["learned", "kept", "changed", "lost", "unknown"]
"""`learned`: wrong before and right after. `kept`: right in both. `lost`: right before and wrong after. `changed`: the
value before, and after that the one which superseded it. `unknown`: wrong in both."""
VERDICTS: tuple[Verdict, ...] = ("learned", "kept", "changed", "lost", "unknown")


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One audit question, closed-book, put to both versions."""

    fact: str
    """Id of the fact that it is about."""
    question: str
    expected: str
    """The value that the fact states."""
    superseded_by: str | None
    """The value of the slot by now, where it is another one."""
    before: str
    after: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class AdapterQuestions:
    """How two versions answer the questions on every fact that either of them holds."""

    before: str
    after: str
    counts: Mapping[Verdict, int]
    questions: tuple[AskedQuestion, ...]
    unasked: tuple[str, ...]
    """Ids of facts that cannot be asked about: they were deleted since, or have no audit questions left."""


def ask_both(workspace: Workspace, before: str, after: str) -> AdapterQuestions:
    """Put the audit questions, which no training saw, on the facts of either version to both.

    Raises `UnknownAdapter`, `CorruptAdapter`, or `WrongBase` for a version of another base than the memory's model."""
    ledger, namespace = workspace.ledger, workspace.namespace
    old, new = workspace.adapters.get(before), workspace.adapters.get(after)
    held = list(dict.fromkeys((*old.facts, *new.facts)))
    facts = {fact.id: fact for fact in ledger.facts(namespace, include_retired=True)}
    items = [
        item
        for item in ledger.items(namespace, held)
        if item.kind == "question" and item.split != "train" and item.fact in facts
    ]
    said_before, said_after = (_answers(workspace, record, items) for record in (old, new))
    asked = tuple(
        _compared(item, _value_now(facts[item.fact], facts), *said)
        for item, *said in zip(items, said_before, said_after, strict=True)
    )
    with_items = {item.fact for item in items}
    return AdapterQuestions(
        before=before,
        after=after,
        counts={verdict: sum(each.verdict == verdict for each in asked) for verdict in VERDICTS},
        questions=asked,
        unasked=tuple(id for id in held if id not in with_items),
    )


def _answers(workspace: Workspace, record: AdapterRecord, items: Sequence[TrainingItem]) -> list[str]:
    model: LanguageModel = workspace.trainable()
    with load_verified(model, record, workspace.adapters.path(record.version)):
        return [each.text for each in model.generate([prompts.answer(i.question) for i in items], max_new_tokens=16)]


def _value_now(fact: Fact, facts: Mapping[str, Fact]) -> str | None:
    """The value that superseded that of `fact`, at the end of the line; None where none did, or it was deleted."""
    now = fact
    seen = {fact.id}
    while now.superseded_by is not None and now.superseded_by in facts and now.superseded_by not in seen:
        seen.add(now.superseded_by)
        now = facts[now.superseded_by]
    return now.object if now is not fact else None


def _compared(item: TrainingItem, now: str | None, before: str, after: str) -> AskedQuestion:
    was, still = is_correct(before, item.answer), is_correct(after, item.answer)
    verdict: Verdict = "kept" if was and still else "learned" if still else "lost" if was else "unknown"
    if verdict == "lost" and now is not None and is_correct(after, now):
        verdict = "changed"
    return AskedQuestion(item.fact, item.question, item.answer, now, before, after, verdict)
