"""Asking an adapter what it knows, closed-book, on questions that were not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.core.records import Audit, Fact, Split, TrainingItem
from hybridmem.metrics import is_correct, proportion
from hybridmem.models import prompts
from hybridmem.models.trainable import TrainableModel


@dataclass(frozen=True, slots=True)
class EvalSet:
    """One split's questions, the same for the bare base, the parent and the candidate."""

    split: Split
    questions: tuple[TrainingItem, ...]
    """On facts."""
    unanswerable: tuple[TrainingItem, ...]
    unrelated: tuple[str, ...]
    general: tuple[tuple[int, ...], ...]
    """Rows of token ids of general text that no training sees."""
    stale: Mapping[str, str]
    """Value that a question (by item id) must no longer be answered with."""


@dataclass(frozen=True, slots=True)
class EvalResult:
    """How one adapter (or the bare base) did on an `EvalSet`."""

    audits: tuple[Audit, ...]
    false_answers: float
    """Share of the unanswerable questions that were answered."""
    unrelated: tuple[str, ...]
    """What it answered to the unrelated questions."""
    nats: float
    """Cross-entropy on the general text, per token."""
    stale: float
    """Share of the questions on replaced facts that got the old value."""

    def accuracy(self, facts: Sequence[str]) -> float:
        """Mean over those of `facts` that were asked, each counting the same; 1.0 when none was."""
        shares = [a.right / a.asked for a in self.audits if a.fact in set(facts) and a.asked]
        return sum(shares) / len(shares) if shares else 1.0


def build_eval_set(
    split: Split,
    items: Sequence[TrainingItem],
    facts: Sequence[Fact],
    replaced: Sequence[Fact],
    unrelated: Sequence[str],
    general: Sequence[Sequence[int]],
    limit: int = 400,
) -> EvalSet:
    """The eval set of `split` on `facts`. Questions on facts that were `replaced` ask for the old value.

    With more than `limit` questions, those on the first of `facts` are asked."""
    standing = {f.id: place for place, f in enumerate(facts)}
    old_value = {f.id: f.object for f in replaced}
    own = [i for i in items if i.split == split]
    stale = [i for i in own if i.kind == "question" and i.fact in old_value]
    asked = sorted((i for i in own if i.kind == "question" and i.fact in standing), key=lambda i: standing[i.fact])
    return EvalSet(
        split=split,
        questions=tuple(asked[:limit] + stale),
        unanswerable=tuple([i for i in own if i.kind == "refusal" and i.fact in standing][-limit // 4 :]),
        unrelated=tuple(unrelated),
        general=tuple(tuple(row) for row in general),
        stale={i.id: old_value[i.fact] for i in stale},
    )


def evaluate(model: TrainableModel, adapter: Path | None, eval_set: EvalSet, version: str = "") -> EvalResult:
    """Ask the model with `adapter` the questions of the eval set. The audits carry `version` as the adapter's name."""
    asked = [i.question for i in (*eval_set.questions, *eval_set.unanswerable)] + list(eval_set.unrelated)
    with model.adapted(adapter):
        answers = [g.text for g in model.generate([prompts.answer(q) for q in asked], max_new_tokens=16)]
        nats = model.cross_entropy(eval_set.general)
    answered, refused = answers[: len(eval_set.questions)], answers[len(eval_set.questions) :]
    counts: dict[str, list[int]] = {}
    stale = 0
    for item, text in zip(eval_set.questions, answered, strict=True):
        if item.id in eval_set.stale:
            stale += is_correct(text, eval_set.stale[item.id])
        else:
            tally = counts.setdefault(item.fact, [0, 0])
            tally[0] += 1
            tally[1] += is_correct(text, item.answer)
    unanswerable = refused[: len(eval_set.unanswerable)]
    return EvalResult(
        audits=tuple(Audit(version, fact, eval_set.split, n, ok) for fact, (n, ok) in counts.items()),
        false_answers=proportion(not prompts.is_refusal(text) for text in unanswerable) if unanswerable else 0.0,
        unrelated=tuple(refused[len(eval_set.unanswerable) :]),
        nats=nats,
        stale=stale / len(eval_set.stale) if eval_set.stale else 0.0,
    )
