"""The dream, step by step: extract, curate, select, compose, train, gate, promote, unlearn.

Every step leaves what it did in the ledger, so that a dream that was stopped, even by SIGKILL, is resumed by the next
one: episodes already read are not read again, exercises already composed are kept, a training goes on from its
checkpoint when it would be the same training. Nothing is promoted before the gate has passed.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hybridmem.adapters.card import AdapterCard
from hybridmem.core.records import AdapterRecord, DreamReport, Fact, Step
from hybridmem.core.version import VERSION
from hybridmem.dreaming import general
from hybridmem.dreaming.plan import DreamContext, TrainingSet, selected
from hybridmem.dreaming.recipes import Recipe
from hybridmem.dreaming.recovery import UNCALIBRATED, finish_stopped, next_night, reject_leftovers
from hybridmem.dreaming.steps import unlearn
from hybridmem.dreaming.steps.compose import compose
from hybridmem.dreaming.steps.curate import apply, plan, refused
from hybridmem.dreaming.steps.evaluate import EvalResult, evaluate
from hybridmem.dreaming.steps.extract import extract
from hybridmem.dreaming.steps.gate import Verdict, evaluate_gate
from hybridmem.dreaming.steps.select import Selection
from hybridmem.metrics import locality
from hybridmem.models.huggingface.free_memory import peak_memory_mb
from hybridmem.training import examples as replay

if TYPE_CHECKING:
    from hybridmem.training.trainer import Training


STEPS = ("extract", "curate", "select", "compose", "train", "gate", "promote", "unlearn")
EPISODES_AT_ONCE = 64
_DREAM = "dream"


class Progress(Protocol):
    """Told how far a step is."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


class _Log:
    """The steps done so far, timed from the end of the one before."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.started = self._last = time.monotonic()

    def done(self, name: str, tokens: int = 0, **counts: int) -> None:
        now = time.monotonic()
        self.steps.append(Step(name, now - self._last, tokens, counts))
        self._last = now

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def dream(bed: DreamContext, recipe: Recipe, progress: Progress) -> DreamReport:
    """One night. Raises only what stops it midway; a night that has nothing to do, or that the gate refuses, is a
    report."""
    log = _Log()
    report = _begin(bed)
    seed = recipe.seed + report.night
    reject_leftovers(bed.ledger, bed.registry, bed.namespace)

    tokens, read = _extract_and_curate(bed, recipe, progress)
    log.done("extract", tokens, **read)

    selection = selected(bed, recipe)
    log.done("select", new=len(selection.new), old=len(selection.old), waiting=selection.waiting)
    if not selection.new and not selection.deleted and not selection.replaced:
        return _end(bed, replace(report, reason="no new facts to learn"), log)

    poor, tokens, written = _compose(bed, recipe, selection, seed, progress)
    tonight = TrainingSet.of(bed, selection, poor)
    log.done("compose", tokens, questions=written, items=len(tonight.items), poor=len(poor))
    if not tonight.new and not (tonight.old and (selection.deleted or selection.replaced)):
        return _end_without_facts(bed, report, tonight, log)

    candidate, training = _train(bed, recipe, tonight, seed, progress)
    trained = training.tokens
    log.done(
        "train",
        trained + training.teacher_tokens,
        new=len(tonight.new),
        old=len(tonight.old),
        steps=training.steps,
    )

    version = bed.registry.next_version()
    progress("gate", 0, 1)
    verdict = evaluate_gate(
        bed.model,
        candidate,
        tonight.before_path(bed),
        tonight.eval_set(bed, "dev"),
        [f.id for f in tonight.new],
        [f.id for f in tonight.old],
        recipe.gate,
        version,
    )
    final = evaluate(bed.model, candidate, tonight.eval_set(bed, "test"), version)
    base = evaluate(bed.model, None, tonight.eval_set(bed, "test"))
    progress("gate", 1, 1)
    log.done("gate")

    report = replace(
        report,
        adapter=version,
        parent=tonight.parent.version if tonight.parent else None,
        new_facts=len(tonight.new),
        held_facts=len(tonight.new) + len(tonight.old),
        gate=verdict.checks,
        test=_figures(base, final, tonight),
        trained_tokens=trained,
        left_to_retrieval=(*poor, *_failed(verdict, tonight.new)),
        unlearned=tonight.selection.deleted,
    )
    record = _register(bed, recipe, report, tonight, candidate, verdict, seed)
    if verdict.passed:
        bed.ledger.save_audits(bed.namespace, [*verdict.result.audits, *final.audits])
        bed.ledger.set_value(bed.namespace, UNCALIBRATED, {"adapter": record.version})
        bed.registry.promote(record.version)
        report = replace(report, status="promoted", retention=_retention(bed, final))
    else:
        failed = ", ".join(check.name for check in verdict.checks if not check.passed)
        report = replace(report, status="rejected", reason=f"the gate refused: {failed}")
        if tonight.selection.deleted:
            bed.registry.promote(None)
    progress("promote", 1, 1)
    log.done("promote")

    _remove_erased(bed, tonight.selection, log)
    progress("unlearn", 1, 1)
    return _end(bed, report, log)


# ---- the steps


def _extract_and_curate(bed: DreamContext, recipe: Recipe, progress: Progress) -> tuple[int, dict[str, int]]:
    """Read what no dream has read; returns the tokens used and the counts."""
    counts = {"episodes": 0, "facts": 0, "unsupported": 0, "superseded": 0, "merged": 0, "contradictions": 0}
    counts["refused"] = tokens = 0
    standing = {f.id for f in bed.ledger.facts(bed.namespace)}
    retired: set[str] = set()
    waiting = bed.ledger.unextracted(bed.namespace, limit=1_000_000)
    for start in range(0, len(waiting), EPISODES_AT_ONCE):
        batch = waiting[start : start + EPISODES_AT_ONCE]
        found = extract(bed.reader, batch)
        planned = plan(bed.ledger, [replace(fact, recorded_at=bed.clock()) for fact in found.facts])
        retired |= planned.retired & standing
        if refused(len(retired), len(standing), recipe.max_retired_share):
            # The episodes stay unread: a person looks at them, and the facts that stand are untouched.
            counts["refused"] = len(planned.retired)
            tokens += found.tokens
            break
        apply(bed.ledger, planned)
        bed.ledger.mark_extracted(bed.namespace, found.read)
        tokens += found.tokens
        counts["episodes"] += len(batch)
        counts["facts"] += len(planned.accepted)
        counts["unsupported"] += found.unsupported
        counts["superseded"] += planned.superseded
        counts["merged"] += planned.merged
        counts["contradictions"] += len(planned.contradictions)
        progress("extract", start + len(batch), len(waiting))
    return tokens, counts


def _compose(
    bed: DreamContext, recipe: Recipe, selection: Selection, seed: int, progress: Progress
) -> tuple[tuple[str, ...], int, int]:
    """Exercises for the new facts that have none yet; returns the facts that got too few, tokens and questions."""
    have = {item.fact for item in bed.ledger.items(bed.namespace, [f.id for f in selection.new])}
    fresh = [f for f in selection.new if f.id not in have]
    others = [f for f in bed.ledger.facts(bed.namespace) if f.id not in {n.id for n in fresh}]
    with bed.model.adapted(None):
        made = compose(
            bed.model, fresh, others, recipe.compose, seed, lambda done, total: progress("compose", done, total)
        )
    there = bed.ledger.get_many(bed.namespace, [f.id for f in fresh])
    # What was deleted, or put in other words, while they were being composed, must not come back in them.
    sound = {f.id for f in fresh if f.id in there and there[f.id].text == f.text}
    bed.ledger.save_items([item for item in made.items if item.fact in sound])
    return made.poor, made.tokens, made.written


def _train(
    bed: DreamContext, recipe: Recipe, tonight: TrainingSet, seed: int, progress: Progress
) -> tuple[Path, Training]:
    """The candidate's folder, and what its training did."""
    from hybridmem.training.trainer import train

    active = bed.active()
    weak: dict[str, float] = {}
    for audit in bed.ledger.audits(bed.namespace, active.version) if active else ():
        weak[audit.fact] = weak.get(audit.fact, 0.0) + (audit.asked - audit.right)
    # A rebuild learns everything anew: then all facts are new ones, with their full exposures.
    naive = not recipe.replay and tonight.new
    learned = tonight.new if tonight.parent or naive else (*tonight.new, *tonight.old)
    replayed = tonight.old if tonight.parent else ()
    made = replay.build_examples(
        bed.model,
        learned,
        replayed,
        tonight.items,
        weak,
        general.rows(bed.model, "train", recipe.train.general_tokens),
        replay=recipe.replay,
        seed=seed,
    )
    folder = bed.folder / tonight.digest(bed, recipe, seed)[:16]
    for other in bed.folder.iterdir() if bed.folder.exists() else ():
        if other.name != folder.name:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    done = train(
        bed.model,
        made,
        recipe.train,
        seed,
        folder,
        tonight.parent_path(bed),
        distil=recipe.replay,
        progress=lambda step, total: progress("train", step, total),
    )
    return folder, done


def _failed(verdict: Verdict, new: Sequence[Fact]) -> tuple[str, ...]:
    ids = {f.id for f in new}
    return tuple(a.fact for a in verdict.result.audits if a.fact in ids and a.right == 0)


def _figures(base: EvalResult, final: EvalResult, tonight: TrainingSet) -> dict[str, float]:
    figures = {
        "new_facts": final.accuracy([f.id for f in tonight.new]),
        "old_facts": final.accuracy([f.id for f in tonight.old]),
        "false_answer_rate": final.false_answers,
        "base_false_answer_rate": base.false_answers,
        "locality": locality(base.unrelated, final.unrelated),
        "drift_nats": final.nats - base.nats,
        "stale_answer_rate": final.stale,
    }
    # A training that diverged has a drift that is no number, and the gate's refusal is still to be written down.
    return {name: value for name, value in figures.items() if math.isfinite(value)}


def _retention(bed: DreamContext, final: EvalResult) -> tuple[float, ...]:
    """Accuracy on the facts of each night up to this one: a fact belongs to the night that first trained it."""
    night_of = {report.adapter: report.night for report in bed.ledger.dreams(bed.namespace) if report.adapter}
    first: dict[str, str] = {}
    for record in bed.ledger.adapters(bed.namespace):
        if record.status != "rejected":
            for fact in record.facts:
                first.setdefault(fact, record.version)
    nights: dict[int, list[str]] = {}
    latest = max(night_of.values(), default=0) + 1
    for audit in final.audits:
        nights.setdefault(night_of.get(first.get(audit.fact, ""), latest), []).append(audit.fact)
    return tuple(final.accuracy(nights[night]) for night in sorted(nights))


def _register(
    bed: DreamContext,
    recipe: Recipe,
    report: DreamReport,
    tonight: TrainingSet,
    candidate: Path,
    verdict: Verdict,
    seed: int,
) -> AdapterRecord:
    record = AdapterRecord(
        version=str(report.adapter),
        namespace=bed.namespace,
        base=bed.model.name,
        base_sha256=bed.model.sha256,
        parent=report.parent,
        status="candidate" if verdict.passed else "rejected",
        created_at=bed.clock(),
        dream=report.id,
        facts=tuple(f.id for f in (*tonight.new, *tonight.old)),
        scores={**report.test, "scale": verdict.scale},
    )
    card = AdapterCard.of(
        record,
        data_sha256=tonight.digest(bed, recipe, seed),
        recipe=asdict(recipe),
        seed=seed,
        hybridmem=VERSION,
        gate={check.name: check.value for check in verdict.checks},
        test=report.test,
    )
    return bed.registry.register(candidate, record, card)


# ---- beginning and end


def _begin(bed: DreamContext) -> DreamReport:
    """A fresh report, with the id of the dream that was stopped before its end, if one was."""
    from hybridmem.core.records import new_id

    state = bed.ledger.value(bed.namespace, _DREAM)
    if state is None or finish_stopped(bed.ledger, bed.registry, bed.namespace, state["id"]):
        state = {"id": new_id("dr")}
    bed.ledger.set_value(bed.namespace, _DREAM, state)
    return DreamReport(
        id=state["id"],
        namespace=bed.namespace,
        status="nothing",
        night=next_night(bed.ledger, bed.namespace),
        started_at=bed.clock(),
        seconds=0.0,
    )


def _end(bed: DreamContext, report: DreamReport, log: _Log) -> DreamReport:
    report = replace(report, steps=tuple(log.steps), seconds=log.seconds, peak_memory_mb=peak_memory_mb())
    bed.ledger.save_dream(report)
    bed.ledger.set_value(bed.namespace, _DREAM, None)
    shutil.rmtree(bed.folder, ignore_errors=True)
    return report


def _end_without_facts(bed: DreamContext, report: DreamReport, tonight: TrainingSet, log: _Log) -> DreamReport:
    """Nothing is left that the weights should hold: what they held of deleted memories goes all the same."""
    if tonight.selection.deleted or tonight.selection.replaced:
        bed.registry.promote(None)
    _remove_erased(bed, tonight.selection, log)
    reason = "no fact could be turned into exercises" if tonight.selection.new else "nothing is left to hold"
    left = tuple(f.id for f in tonight.selection.new)
    report = replace(report, reason=reason, unlearned=tonight.selection.deleted, left_to_retrieval=left)
    return _end(bed, report, log)


def _remove_erased(bed: DreamContext, selection: Selection, log: _Log) -> None:
    removed = unlearn.remove_weights(bed.registry, unlearn.erased(bed.ledger, bed.namespace))
    for version in removed:
        bed.model.forget(bed.registry.path(version))
    log.done("unlearn", deleted=len(selection.deleted), adapters_removed=len(removed))
