"""The dream, step by step: extract, curate, select, compose, train, gate, promote, unlearn.

Every step leaves what it did in the ledger, so that a dream that was stopped, even by SIGKILL, is resumed by the next
one: episodes already read are not read again, exercises already composed are kept, a training goes on from its
checkpoint when it would be the same training. Nothing is promoted before the gate has passed.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hybridmem.adapters.card import AdapterCard
from hybridmem.adapters.files import hashes
from hybridmem.adapters.provenance import data_sha256
from hybridmem.continual import registry as strategies
from hybridmem.continual.base import Strategy
from hybridmem.core.errors import ErasedMeanwhile, ReaderBudgetSpent, UnknownMemory
from hybridmem.core.process import peak_memory_mb
from hybridmem.core.progress import Progress
from hybridmem.core.records import AdapterRecord, DreamReport, Episode, Fact, Step, TrainingItem, new_id
from hybridmem.core.version import VERSION
from hybridmem.dreaming import reader_bound
from hybridmem.dreaming.bounds import Evaluated, Truth, figures, truth_figures
from hybridmem.dreaming.plan import REPLIES, DreamContext, TrainingSet, selected, started_anew
from hybridmem.dreaming.proposal import Aside, Proposal
from hybridmem.dreaming.reading.source import only_name
from hybridmem.dreaming.recipes import Recipe
from hybridmem.dreaming.recovery import DreamState, Uncalibrated, finish_stopped, next_night, reject_leftovers
from hybridmem.dreaming.step_log import StepLog, reader_usage
from hybridmem.dreaming.steps import unlearn
from hybridmem.dreaming.steps.compose import compose
from hybridmem.dreaming.steps.curate import apply, plan, refused
from hybridmem.dreaming.steps.evaluate import EvalResult, evaluate
from hybridmem.dreaming.steps.extract import Extraction, extract
from hybridmem.dreaming.steps.gate import Verdict, evaluate_gate
from hybridmem.dreaming.steps.propositions import read_propositions
from hybridmem.dreaming.steps.select import Selection
from hybridmem.dreaming.steps.truth import FILE, TruthSet, checks, compare, forget_erased, prepare
from hybridmem.models.reader import Reader
from hybridmem.models.skills import supports
from hybridmem.stores.ledger.present import present
from hybridmem.stores.ledger.redacted import holds_secret
from hybridmem.stores.ledger.validation import quotes
from hybridmem.training.trainer import Training, train

EPISODES_AT_ONCE = 64
ATTEMPTS = 3
"""How often a night begins to learn, where memories that it learns are deleted in the middle of it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A trained adapter that nothing has judged yet."""

    version: str
    folder: Path
    parent: AdapterRecord | None
    """The adapter that it was trained from; None for the bare base."""
    key: str
    """Of its training, for its card."""
    training: Training
    seed: int


@dataclass(frozen=True, slots=True)
class _Measured:
    """What the gate decided on the dev split, and the figures on the split that it never saw."""

    verdict: Verdict
    base: EvalResult
    final: EvalResult
    truth: Truth


def dream(context: DreamContext, recipe: Recipe, progress: Progress, *, reads: bool = True) -> DreamReport:
    """One night; unless it `reads`, of what is believed already. Raises only what stops it midway; a night that has
    nothing to do, or that the gate refuses, is a report."""
    strategy = strategies.get(recipe.strategy)
    log = StepLog(context.metered.take if context.metered else None)
    if context.metered and context.metered.before.calls:
        # Of this night too: the dream that was stopped asked it, and its replies are used.
        log.add(Step("before it was stopped", 0.0, reader=context.metered.before))
    report = _begin(context)
    seed = recipe.seed + report.night
    reject_leftovers(context.ledger, context.registry, context.namespace)
    context.ledger.expire_due(context.namespace, context.clock())

    truth = TruthSet()
    if reads:
        truth = _prepare_truth(context, recipe, strategy, seed, log)
        report = _because(report, _read(context, recipe, progress, log))
    for _ in range(ATTEMPTS):
        try:
            return _learn(context, recipe, strategy, report, truth, seed, progress, log)
        except ErasedMeanwhile:
            _forget_attempt(context)
            log.done("started over")
    selection = _select(context, recipe, log)
    return _end_untrained(context, report, selection, log, "again and again, memories were deleted as it learned them")


def read_aside(context: DreamContext, recipe: Recipe, progress: Progress) -> Proposal:
    """What a night would believe of the episodes that wait. It reads on a copy, and the ledger stays as it is. However
    much it would retire, it goes on: a person judges."""
    aside = Aside(context.ledger, context.namespace)
    aside.expire_due(context.namespace, context.clock())
    log = StepLog(context.metered.take if context.metered else None)
    _read(replace(context, ledger=aside), replace(recipe, max_retired_share=1.0), progress, log)
    return replace(aside.proposal(), tokens=log.steps[-1].tokens, reader=log.steps[-1].reader)


def _learn(
    context: DreamContext,
    recipe: Recipe,
    strategy: Strategy,
    report: DreamReport,
    truth: TruthSet,
    seed: int,
    progress: Progress,
    log: StepLog,
) -> DreamReport:
    """Everything from the selection on. Raises `ErasedMeanwhile`."""
    selection = _select(context, recipe, log)
    if not strategy.trains:
        return _end_untrained(context, report, selection, log, f"the strategy {strategy.name} trains nothing")
    if not (selection.new or selection.deleted or selection.replaced):
        return _end(context, _because(report, "no new facts to learn"), log)
    training_set, unwritten = _compose(context, recipe, selection, seed, progress, log)
    if unwritten:
        report = _because(report, _waits(len(unwritten), "new fact"))
    if not training_set.is_worth_training:
        reason = "no fact could be turned into exercises" if selection.new else "nothing is left to hold"
        left = tuple(f.id for f in selection.new if f.id not in unwritten)
        return _end_untrained(context, replace(report, left_to_retrieval=left), selection, log, reason)
    if training_set.is_held and training_set.parent is not None:
        return _go_back(context, report, training_set.parent, training_set, log)
    candidate = _train(context, recipe, strategy, training_set, seed, progress, log)
    measured = _measure(context, recipe, training_set, candidate, truth, progress, log)
    report = _described(report, training_set, candidate, measured)
    record = _register(context, recipe, report, training_set, candidate, measured.verdict)
    report = _decide(context, report, record, measured, training_set)
    progress("promote", 1, 1)
    log.done("promote")
    _unlearn(context, selection, log)
    progress("unlearn", 1, 1)
    return _end(context, report, log)


# ---- the steps


def _read(context: DreamContext, recipe: Recipe, progress: Progress, log: StepLog) -> str:
    """Extract facts from the episodes that no dream has read, and curate them, batch by batch; returns why some of them
    still wait, where they do."""
    names = ("episodes", "facts", "unsupported", "superseded", "merged", "contradictions", "refused")
    counts = Counter(dict.fromkeys(names, 0))
    tokens = 0
    standing = {f.id for f in context.ledger.facts(context.namespace)}
    retired: set[str] = set()
    waiting = context.ledger.unextracted(context.namespace, limit=1_000_000, at=context.clock())
    start = 0
    while start < len(waiting) and (most := _affordable(context, tokens, counts["episodes"])):
        batch = waiting[start : start + most]
        try:
            with reader_bound.share(context, reader_bound.READING_SHARE):
                found = _extracted(context, recipe, batch, start, _share(progress, start, len(batch), len(waiting)))
        except ReaderBudgetSpent:
            break
        found = replace(found, facts=tuple(fact for fact in found.facts if not holds_secret(fact)))
        if redacted := sum(map(holds_secret, batch)):
            counts["redacted"] += redacted
        tokens += found.tokens
        now = present(context.ledger, context.namespace, context.clock)
        planned = plan(context.ledger, [replace(fact, recorded_at=now) for fact in found.facts])
        retired |= (planned.retired | found.ended.keys()) & standing
        if refused(len(retired), len(standing), recipe.max_retired_share):
            # The episodes stay unread: a person looks at them, and the facts that stand are untouched.
            counts["refused"] = len(planned.retired) + len(found.ended)
            break
        _end_denied(context, found.ended, apply(context.ledger, planned))
        context.ledger.mark_extracted(context.namespace, found.read)
        counts["episodes"] += len(batch)
        counts["facts"] += len(planned.accepted)
        counts["unsupported"] += found.unsupported
        counts["superseded"] += planned.superseded
        counts["merged"] += planned.merged
        counts["contradictions"] += len(planned.contradictions)
        counts.update(found.counts)
        start += len(batch)
    left = 0 if counts["refused"] else len(waiting) - counts["episodes"]
    if left:
        counts["waiting"] = left
    log.done("extract", tokens, **counts)
    if left and not counts["episodes"]:
        return f"{_waits(left, 'episode')}, which was too little for one of them"
    return _waits(left, "episode") if left else ""


def _affordable(context: DreamContext, tokens: int, read: int) -> int:
    """Episodes to read at once, where those `read` so far took so many `tokens`: the reader's bound must not be reached
    in the middle of them, since what they then took is lost. The first of a night is read alone."""
    with reader_bound.share(context, reader_bound.READING_SHARE):
        room = context.metered.room if context.metered else None
    if room is None:
        return EPISODES_AT_ONCE
    return min(reader_bound.EPISODES_AT_ONCE, int(room * read / max(1, tokens))) if read else 1


def _waits(left: int, what: str) -> str:
    waits = f"{what} waits" if left == 1 else f"{what}s wait"
    return f"{left} {waits} for the next night: max_reader_tokens is reached"


def _share(progress: Progress, start: int, size: int, total: int) -> Callable[[int, int], None]:
    """The progress of a batch, from its own steps, as a share of all `total` episodes."""
    return lambda done, steps: progress("extract", start + size * done // max(1, steps), total)


def _extracted(
    context: DreamContext, recipe: Recipe, batch: Sequence[Episode], start: int, progress: Callable[[int, int], None]
) -> Extraction:
    """The facts of a batch of episodes, in the way that the recipe and the reader allow."""
    progress(0, 1)
    if not by_propositions(context.reader, recipe):
        return extract(context.reader, batch, progress)
    seed = recipe.seed + start
    return read_propositions(context.reader, context.ledger, batch, recipe.reading, seed, context.find, progress)


def _end_denied(context: DreamContext, ended: Collection[str], stored: Mapping[Fact, Fact]) -> None:
    """Expire the facts that a denial ended; one of tonight's may have been `stored` as evidence of an older one."""
    known = {fact.id: kept.id for fact, kept in stored.items()}
    for id in ended:
        there = known.get(id, id)
        with suppress(UnknownMemory):
            context.ledger.expire(context.namespace, there, context.clock())


def by_propositions(reader: Reader, recipe: Recipe) -> bool:
    """Whether this reader extracts by propositions under `recipe`."""
    return recipe.extract == "propositions" or (recipe.extract == "auto" and supports(reader, "propositions"))


def _prepare_truth(context: DreamContext, recipe: Recipe, strategy: Strategy, seed: int, log: StepLog) -> TruthSet:
    """Questions from the episodes that wait to be read, answered before anything of the night is in the store."""
    if recipe.gate is None or not strategy.trains or not by_propositions(context.reader, recipe):
        return TruthSet()
    waiting = context.ledger.unextracted(context.namespace, at=context.clock())
    kept = context.folder / FILE
    user = only_name(context.ledger.speakers(context.namespace))
    with context.model.adapted(None):
        truth = prepare(context.reader, waiting, recipe.reading.truth_questions, seed, context.answering, kept, user)
    log.done("ask", truth.tokens, questions=len(truth.questions))
    return truth


def _select(context: DreamContext, recipe: Recipe, log: StepLog) -> Selection:
    selection = selected(context, recipe)
    log.done("select", new=len(selection.new), old=len(selection.old), waiting=selection.waiting)
    return selection


def _compose(
    context: DreamContext, recipe: Recipe, selection: Selection, seed: int, progress: Progress, log: StepLog
) -> tuple[TrainingSet, frozenset[str]]:
    """Exercises for the new facts that have none yet; and those of them that the reader's bound leaves for later."""
    ledger, namespace = context.ledger, context.namespace
    have = {item.fact for item in ledger.items(namespace, [f.id for f in selection.new])}
    fresh = [f for f in selection.new if f.id not in have]
    others = [f for f in ledger.facts(namespace) if f.id not in {n.id for n in fresh}]
    if fresh:
        progress("compose", 0, len(fresh))
    with context.model.adapted(None), reader_bound.share(context, reader_bound.COMPOSING_SHARE):
        made = compose(
            context.reader, fresh, others, recipe.compose, seed, lambda done, total: progress("compose", done, total)
        )
    _save_items(context, made.items, [*fresh, *others])
    training_set = TrainingSet.of(context, selection, made.poor)
    waiting = {"waiting": len(made.waiting)} if made.waiting else {}
    log.done(
        "compose", made.tokens, questions=made.written, items=len(training_set.items), poor=len(made.poor), **waiting
    )
    return training_set, frozenset(made.waiting)


def _train(
    context: DreamContext,
    recipe: Recipe,
    strategy: Strategy,
    training_set: TrainingSet,
    seed: int,
    progress: Progress,
    log: StepLog,
) -> _Candidate:
    plan = strategy.plan(context.model, training_set.night_input(context, recipe, seed), recipe.train)
    parent = training_set.parent if plan.goes_on else None
    key = training_set.training_key(context, recipe, seed, parent)
    folder = _training_folder(context, key)

    def tell(step: int, total: int) -> None:
        _require_there(context, training_set)
        progress("train", step, total)

    training = train(context.model, plan, recipe.train, seed, folder, progress=tell)
    log.done(
        "train",
        training.tokens + training.teacher_tokens,
        new=len(training_set.new),
        old=len(training_set.old),
        steps=training.steps,
    )
    return _Candidate(context.registry.next_version(), folder, parent, key, training, seed)


def _training_folder(context: DreamContext, key: str) -> Path:
    """Where the training of that `key` goes on; what another one left there is removed."""
    folder = context.folder / key[:16]
    for other in context.folder.iterdir() if context.folder.exists() else ():
        if other.name != folder.name and other.is_dir():
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _measure(
    context: DreamContext,
    recipe: Recipe,
    training_set: TrainingSet,
    candidate: _Candidate,
    truth: TruthSet,
    progress: Progress,
    log: StepLog,
) -> _Measured:
    """The gate's verdict; it may leave the candidate at a smaller scale."""
    _require_there(context, training_set)
    progress("gate", 0, 1)
    verdict = evaluate_gate(
        context.model,
        candidate.folder,
        training_set.before_path(context),
        training_set.eval_set(context, recipe, "dev"),
        training_set.to_learn(candidate.parent),
        [f.id for f in training_set.old],
        recipe.gate,
        candidate.version,
    )
    test = training_set.eval_set(context, recipe, "test")
    final = evaluate(context.model, candidate.folder, test, candidate.version)
    base = evaluate(context.model, None, test)
    found = _truth_after(context, training_set, candidate, verdict, final, truth)
    if recipe.gate is not None:
        asked = checks(found, recipe.gate)
        verdict = replace(
            verdict, checks=(*verdict.checks, *asked), passed=verdict.passed and all(check.passed for check in asked)
        )
    progress("gate", 1, 1)
    log.done("gate")
    return _Measured(verdict, base, final, found)


def _truth_after(
    context: DreamContext,
    training_set: TrainingSet,
    candidate: _Candidate,
    verdict: Verdict,
    final: EvalResult,
    truth: TruthSet,
) -> Truth:
    """How the router answers the night's questions with the candidate in force. A candidate that is refused already is
    not asked."""
    truth = truth.of_what_is_there(context.ledger, context.namespace)
    if context.answering is None or not (truth.questions and verdict.passed):
        return Truth(0, 0, 0, 0, 0)
    record = replace(_record(context, training_set, candidate), files=hashes(candidate.folder))
    audits = (*verdict.result.audits, *final.audits)
    said = context.answering.as_it_would_be([each.text for each in truth.questions], record, candidate.folder, audits)
    context.model.forget(candidate.folder)
    return compare(truth, said)


def _described(
    report: DreamReport, training_set: TrainingSet, candidate: _Candidate, measured: _Measured
) -> DreamReport:
    """`report` with what was trained and measured."""
    learned, old = training_set.to_learn(candidate.parent), [f.id for f in training_set.old]
    new = {f.id for f in training_set.new}
    failed = tuple(a.fact for a in measured.verdict.result.audits if a.fact in new and a.right == 0)
    return replace(
        report,
        adapter=candidate.version,
        parent=candidate.parent.version if candidate.parent else None,
        new_facts=len(training_set.new),
        held_facts=len(training_set.facts),
        gate=measured.verdict.checks,
        test=figures(Evaluated(measured.base, None, measured.final, learned, old)) | truth_figures(measured.truth),
        trained_tokens=candidate.training.tokens,
        left_to_retrieval=(*training_set.poor, *failed),
        unlearned=training_set.selection.deleted,
    )


def _register(
    context: DreamContext,
    recipe: Recipe,
    report: DreamReport,
    training_set: TrainingSet,
    candidate: _Candidate,
    verdict: Verdict,
) -> AdapterRecord:
    _require_there(context, training_set)
    record = replace(
        _record(context, training_set, candidate),
        status="candidate" if verdict.passed else "rejected",
        dream=report.id,
        scores={**report.test, "scale": verdict.scale},
    )
    card = AdapterCard.of(
        record,
        data_sha256=data_sha256(training_set.facts, training_set.items),
        training_key=candidate.key,
        recipe=asdict(recipe),
        seed=candidate.seed,
        hybridmem=VERSION,
        gate={check.name: check.value for check in verdict.checks},
        test=report.test,
    )
    return context.registry.register(candidate.folder, record, card)


def _record(context: DreamContext, training_set: TrainingSet, candidate: _Candidate) -> AdapterRecord:
    """The candidate as the registry would know it."""
    return AdapterRecord(
        version=candidate.version,
        namespace=context.namespace,
        base=context.model.name,
        base_sha256=context.model.sha256,
        parent=candidate.parent.version if candidate.parent else None,
        status="candidate",
        created_at=context.clock(),
        dream="",
        facts=tuple(fact.id for fact in training_set.facts),
    )


def _decide(
    context: DreamContext, report: DreamReport, record: AdapterRecord, measured: _Measured, training_set: TrainingSet
) -> DreamReport:
    """Promote what passed. What the gate refused leaves the adapter before it, or where that holds deleted memories the
    one that the night went on from, which never saw them.

    Raises `ErasedMeanwhile`: what was deleted by the moment of the promotion is in no weights that are promoted."""
    verdict, final = measured.verdict, measured.final
    _require_there(context, training_set)
    if verdict.passed:
        context.ledger.save_audits(context.namespace, [*verdict.result.audits, *final.audits])
        context.ledger.put_state(context.namespace, Uncalibrated(record.version))
        context.registry.promote(record.version, learned=training_set.learned)
        return replace(report, status="promoted", retention=_retention(context, final))
    if training_set.selection.deleted:
        clean = training_set.parent.version if training_set.parent else None
        if clean is not None:
            context.ledger.put_state(context.namespace, Uncalibrated(clean))
        context.registry.promote(clean, learned=training_set.inherited)
    failed = ", ".join(check.name for check in verdict.checks if not check.passed)
    return _because(replace(report, status="rejected"), f"the gate refused: {failed}{_explained(measured.truth)}")


def _go_back(
    context: DreamContext, report: DreamReport, earlier: AdapterRecord, training_set: TrainingSet, log: StepLog
) -> DreamReport:
    """Let `earlier` answer again, which holds all that is left and saw nothing of what was deleted. Its own gate passed
    it, and there is nothing to train. Raises `ErasedMeanwhile`."""
    _require_there(context, training_set)
    context.ledger.put_state(context.namespace, Uncalibrated(earlier.version))
    context.registry.promote(earlier.version, learned=training_set.learned)
    log.done("promote")
    _unlearn(context, training_set.selection, log)
    report = replace(
        report,
        status="promoted",
        adapter=earlier.version,
        parent=earlier.parent,
        held_facts=len(earlier.facts),
        unlearned=training_set.selection.deleted,
    )
    return _end(context, _because(report, f"went back to {earlier.version}, which never saw what was deleted"), log)


def _explained(truth: Truth) -> str:
    """What the night would have done to answers that were right; nothing where no question was asked."""
    if not truth.asked:
        return ""
    return (
        f" ({truth.asked} questions on the day's episodes: {truth.right_before} right and {truth.wrong_before} wrong "
        f"before, {truth.right_after} right and {truth.wrong_after} wrong after, {truth.timid} that became a refusal)"
    )


def _retention(context: DreamContext, final: EvalResult) -> tuple[float, ...]:
    """Accuracy on the facts of each night up to this one: a fact belongs to the night that first trained it."""
    night_of: dict[str, int] = {}
    for report in context.ledger.dreams(context.namespace):
        if report.adapter:
            # The first: a later night may have gone back to it.
            night_of.setdefault(report.adapter, report.night)
    first: dict[str, str] = {}
    for record in context.ledger.adapters(context.namespace):
        if record.status != "rejected":
            for fact in record.facts:
                first.setdefault(fact, record.version)
    nights: dict[int, list[str]] = {}
    latest = max(night_of.values(), default=0) + 1
    for audit in final.audits:
        nights.setdefault(night_of.get(first.get(audit.fact, ""), latest), []).append(audit.fact)
    return tuple(final.accuracy(nights[night]) for night in sorted(nights))


def _unlearn(context: DreamContext, selection: Selection, log: StepLog) -> None:
    """Remove the weights of every other adapter that holds what was erased."""
    removed = unlearn.remove_weights(context.registry, unlearn.erased(context.ledger, context.namespace))
    for version in removed:
        context.model.forget(context.registry.path(version))
    log.done("unlearn", deleted=len(selection.deleted), adapters_removed=len(removed))


# ---- what is deleted in the middle of a night


def _save_items(context: DreamContext, items: Sequence[TrainingItem], shown: Sequence[Fact]) -> None:
    """Save the exercises that were composed from the facts `shown`. What was deleted, or put in other words, in the
    meantime must not come back in them, not even in the context of another fact's."""
    ledger, namespace = context.ledger, context.namespace
    sound = {fact.id for fact in shown if fact not in _changed(context, shown)}
    with suppress(UnknownMemory):  # A deletion came between: what is left is composed on another night.
        ledger.save_items([item for item in items if item.fact in sound])
    words = [words for fact in _changed(context, shown) for words in (fact.text, fact.bare, fact.claim)]
    if words:
        stained = {item.fact for item in items if quotes([item.question, item.answer, *item.context], words)}
        ledger.drop_items(namespace, sorted(stained))


def _changed(context: DreamContext, facts: Sequence[Fact]) -> list[Fact]:
    there = context.ledger.get_many(context.namespace, [fact.id for fact in facts])
    return [fact for fact in facts if fact.id not in there or there[fact.id].text != fact.text]


def _require_there(context: DreamContext, training_set: TrainingSet) -> None:
    """Where something was deleted since this last looked: remove what the night has kept of it, and raise
    `ErasedMeanwhile` if it is learned."""
    mark = context.folder / unlearn.ERASED
    if not mark.exists():
        return
    # Before the look: what is deleted from here on leaves another one.
    mark.unlink()
    (context.folder / REPLIES).unlink(missing_ok=True)
    forget_erased(context.folder / FILE, context.ledger, context.namespace)
    if not training_set.is_there(context):
        raise ErasedMeanwhile("a memory was deleted while it was being learned")


def _forget_attempt(context: DreamContext) -> None:
    """Remove what a training of deleted memories has left: its files, and the adapter that it has become."""
    for record in context.registry.list():
        if record.status == "candidate" and record.files:
            context.model.forget(context.registry.path(record.version))
            context.registry.remove(record.version)
    reject_leftovers(context.ledger, context.registry, context.namespace)
    shutil.rmtree(context.folder, ignore_errors=True)


# ---- beginning and end


def _begin(context: DreamContext) -> DreamReport:
    """A fresh report, with the id of the dream that was stopped before its end, if one was."""
    if (context.folder / unlearn.ERASED).exists():
        # Its dream was killed before it could look.
        shutil.rmtree(context.folder)
    state = context.ledger.get_state(context.namespace, DreamState)
    if state is None or finish_stopped(context.ledger, context.registry, context.namespace, state.id):
        state = DreamState(new_id("dr"))
    context.ledger.put_state(context.namespace, state)
    return DreamReport(
        id=state.id,
        namespace=context.namespace,
        status="nothing",
        night=next_night(context.ledger, context.namespace),
        started_at=context.clock(),
        seconds=0.0,
        reason=started_anew(context),
    )


def _end(context: DreamContext, report: DreamReport, log: StepLog) -> DreamReport:
    report = replace(
        report,
        steps=tuple(log.steps),
        seconds=log.seconds,
        peak_memory_mb=peak_memory_mb(),
        reader=reader_usage(log.steps),
    )
    context.ledger.save_dream(report)
    context.ledger.remove_state(context.namespace, DreamState)
    shutil.rmtree(context.folder, ignore_errors=True)
    return report


def _end_untrained(
    context: DreamContext, report: DreamReport, selection: Selection, log: StepLog, reason: str
) -> DreamReport:
    """No training tonight. What the weights hold of deleted memories goes all the same, and with it their adapter."""
    if selection.deleted or (selection.replaced and not selection.old):
        context.registry.promote(None)
    _unlearn(context, selection, log)
    return _end(context, replace(_because(report, reason), unlearned=selection.deleted), log)


def _because(report: DreamReport, reason: str) -> DreamReport:
    """`report` with one more `reason`."""
    return replace(report, reason="; ".join(filter(None, (report.reason, reason))))
