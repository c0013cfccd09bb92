"""A dream of a `Workspace`: the lock, the parts, the cycle, and the router's calibration after it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from hybridmem.adapters.load_verified import load_verified
from hybridmem.continual import registry as strategies
from hybridmem.core.errors import CorruptAdapter, DreamBusy, DreamInterrupted, ErasedMeanwhile, ReaderBudgetSpent
from hybridmem.core.progress import Progress, in_words
from hybridmem.core.records import AdapterRecord, Audit, DreamReport, Step, TrainingItem, new_id
from hybridmem.dreaming import general, proposal, recipes
from hybridmem.dreaming.courtesy import beside
from hybridmem.dreaming.cycle import ATTEMPTS, dream, read_aside
from hybridmem.dreaming.plan import REPLIES, DreamContext, selected, started_anew
from hybridmem.dreaming.proposal import DreamReview
from hybridmem.dreaming.reader_bound import within_bound
from hybridmem.dreaming.reader_estimate import beyond_bound, reader_steps
from hybridmem.dreaming.recipes import EvalSettings, Recipe
from hybridmem.dreaming.recovery import Uncalibrated, next_night
from hybridmem.dreaming.step_log import StepLog, reader_usage
from hybridmem.dreaming.steps.compose import still_sound
from hybridmem.models import prompts
from hybridmem.models.reader.metered import MeteredReader
from hybridmem.router.policy import AuditQuestion, Router
from hybridmem.standing import profile as profiles
from hybridmem.standing import questions as standing_questions
from hybridmem.stores.ledger.fact_timeline import holds
from hybridmem.stores.ledger.present import present
from hybridmem.training.lr_schedule import LrSchedule
from hybridmem.workspace import Workspace

ORDER = ("ask", "extract", "compose", "train", "gate")
"""The steps of an estimate."""
USUAL_QUESTION, USUAL_ANSWER = "In which of these cities does Ana Brito live?", 6
"""A row of a training, for an estimate of its cost: a question, and the tokens of an answer."""


def run(
    workspace: Workspace, recipe: str | Recipe, progress: Progress, *, accept: Sequence[str] | None = None
) -> DreamReport:
    """One night; with `accept`, of the changes with these ids (all for ``all``) of the night that waits for a person's
    word, and of no others. Raises `DreamBusy`, `DreamInterrupted`, `ModelError`, `AdapterError`, `InvalidInput`."""
    workspace = workspace.without_secrets()
    context, chosen = _metered(workspace, recipe)
    router = workspace.router if context.metered is None else replace(workspace.router, reader=context.metered)
    context = replace(
        context, answering=MemoryAnswers(workspace, replace(router, exact=True), chosen.eval.calibration_questions)
    )
    try:
        with _alone(workspace), beside(workspace.resources.calls, context.model, progress) as told:
            before = profiles.position(workspace)
            if accept is not None:
                now = present(context.ledger, context.namespace, context.clock)
                proposal.accept(context.ledger, context.namespace, context.folder, accept, now)
            report = dream(context, chosen, told, reads=accept is None)
            workspace.indexes.catch_up()
            # Not only after a promotion: a dream may have been stopped between the two.
            if workspace.ledger.get_state(workspace.namespace, Uncalibrated) is not None:
                report = _calibrated(workspace, context, router, chosen, report)
            profiles.make(workspace, workspace.clock(), night_from=before)
            return _with_standing_answers(workspace, context, report)
    except KeyboardInterrupt:
        pending = workspace.ledger.get_state(workspace.namespace, Uncalibrated)
        active = workspace.adapters.active()
        done = pending is not None and active is not None and pending.adapter == active.version
        kept = f"{pending.adapter} was promoted before" if done and pending else "nothing was promoted"
        raise DreamInterrupted(
            f"the dream was interrupted and {kept}: run `hybridmem dream` again to resume it"
        ) from None


def propose(workspace: Workspace, recipe: str | Recipe, progress: Progress) -> DreamReview:
    """What a night would believe, for a person to judge. It is written down in the folder of the dream, and nothing
    else changes. Raises `DreamBusy`, `ErasedMeanwhile`, `ModelError`, `InvalidInput`."""
    workspace = workspace.without_secrets()
    context, chosen = _metered(workspace, recipe)
    for _ in range(ATTEMPTS):
        with _alone(workspace), beside(workspace.resources.calls, context.model, progress) as told:
            found = proposal.load(context.folder)
            if found is None or not proposal.is_fresh(context.ledger, context.namespace, found, context.clock()):
                proposal.forget(context.folder)
                with context.model.adapted(None):
                    found = read_aside(context, chosen, told)
                proposal.save(context.folder, found)
            review = proposal.review(context.ledger, context.namespace, found)
        # After the lock is free, an erasure removes the proposal itself.
        if not proposal.forget_erased(context.folder):
            return review
    raise ErasedMeanwhile("again and again, memories were deleted as the night read them: try again later")


def proposed(workspace: Workspace) -> DreamReview | None:
    """The night that waits for a person's word, as a diff of what is believed now; None where none does. It reads
    nothing new, and loads no model."""
    workspace = workspace.without_secrets()
    found = proposal.load(workspace.folder.dream(workspace.namespace))
    return None if found is None else proposal.review(workspace.ledger, workspace.namespace, found)


def believe(workspace: Workspace, accept: Sequence[str]) -> None:
    """Believe the changes with these ids (all for ``all``) of the night that waits, and no others; a later night learns
    them. Raises `DreamBusy`, `InvalidInput`."""
    workspace = workspace.without_secrets()
    with _alone(workspace):
        now = present(workspace.ledger, workspace.namespace, workspace.clock)
        proposal.accept(workspace.ledger, workspace.namespace, workspace.folder.dream(workspace.namespace), accept, now)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Holds the lock of the namespace's dreams. Raises `DreamBusy`."""
    lock = FileLock(workspace.folder.dream_lock(workspace.namespace), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise DreamBusy(
            f"another process dreams {'/'.join(workspace.namespace)} now: wait until it is done, then try again"
        ) from None
    try:
        yield
    finally:
        lock.release()


def _metered(workspace: Workspace, recipe: str | Recipe) -> tuple[DreamContext, Recipe]:
    """What a night works on, and its recipe; a reader other than the agent's own model is counted and bounded."""
    chosen = recipes.load(recipe, workspace.model.name) if isinstance(recipe, str) else recipe
    context = _context(workspace)
    if context.reader is context.model:
        return context, chosen
    metered = MeteredReader(context.reader, context.folder / REPLIES)
    return replace(context, reader=metered), within_bound(chosen, metered.settings.max_reader_tokens)


def _context(workspace: Workspace) -> DreamContext:
    model = workspace.trainable()
    return DreamContext(
        ledger=workspace.ledger,
        registry=workspace.adapters,
        model=model,
        reader=workspace.reader,
        namespace=workspace.namespace,
        folder=workspace.folder.dream(workspace.namespace),
        clock=workspace.clock,
        find=lambda text, limit: _most_like(workspace, text, limit),
    )


@dataclass(frozen=True, slots=True)
class MemoryAnswers:
    """How the memory of a workspace answers, for the gate's questions of truth."""

    workspace: Workspace
    router: Router
    calibration_questions: int

    def as_it_is(self, questions: Sequence[str]) -> list[str]:
        """See `steps.truth.Answering`."""
        self.workspace.indexes.catch_up(of=self.workspace.namespace)
        try:
            answers = self.router.answer(questions)
        except CorruptAdapter:
            # The night replaces it; until then only the memories answer.
            answers = self.router.answer(questions, "retrieval")
        return [answer.text for answer in answers]

    def as_it_would_be(
        self, questions: Sequence[str], candidate: AdapterRecord, folder: Path, audits: Sequence[Audit]
    ) -> list[str]:
        """See `steps.truth.Answering`."""
        self.workspace.indexes.catch_up(of=self.workspace.namespace)
        items = audit_questions(self.workspace, self.calibration_questions)
        answers = self.router.rehearse(questions, candidate, folder, audits, _asked(items))
        return [answer.text for answer in answers]


def _most_like(workspace: Workspace, text: str, limit: int) -> list[str]:
    """Ids of the memories that a search for `text` finds, best first."""
    workspace.indexes.catch_up(of=workspace.namespace)
    return [hit.id for hit in workspace.retrieval.search(workspace.namespace, text, limit=limit)]


def _calibrated(
    workspace: Workspace, context: DreamContext, router: Router, recipe: Recipe, report: DreamReport
) -> DreamReport:
    """`report`, with the router's calibration as its last step where another model reads for it."""
    log = StepLog(context.metered.take if context.metered else None)
    try:
        asked = calibrate(workspace, router, recipe.eval.calibration_questions)
    except ReaderBudgetSpent:
        # The adapter is promoted; until the next dream its heads are the prior's.
        asked = 0
    else:
        workspace.ledger.remove_state(workspace.namespace, Uncalibrated)
    if context.metered is None:
        return report
    log.done("calibrate", questions=asked)
    return _saved_with(workspace, report, log)


def _saved_with(workspace: Workspace, report: DreamReport, log: StepLog) -> DreamReport:
    """`report` with the steps of `log` behind its own, put in the ledger in its place."""
    steps = (*report.steps, *log.steps)
    report = replace(report, steps=steps, seconds=report.seconds + log.seconds, reader=reader_usage(steps))
    workspace.ledger.save_dream(report)
    return report


def _with_standing_answers(workspace: Workspace, context: DreamContext, report: DreamReport) -> DreamReport:
    """`report`, after the standing questions were answered anew on which something bears that has changed."""
    log = StepLog(context.metered.take if context.metered else None)
    answered = 0
    # Those that the reader's bound leaves out are answered when they are asked for, or in the next night.
    with suppress(ReaderBudgetSpent):
        for _ in standing_questions.refreshed(workspace, context.reader):
            answered += 1
    if not answered:
        return report
    log.done("standing questions", questions=answered)
    return _saved_with(workspace, report, log)


def calibrate(workspace: Workspace, router: Router, most: int) -> int:
    """Fit the router's heads on audit questions, the newest `most` of each kind: no training saw them, and some of them
    nothing answers. Returns how many there are."""
    asked = audit_questions(workspace, most)
    if asked:
        router.calibrate(_asked(asked))
    return len(asked)


def _asked(items: Iterable[TrainingItem]) -> list[AuditQuestion]:
    return [AuditQuestion(item.question, item.answer, item.fact) for item in items]


def audit_questions(workspace: Workspace, most: int) -> list[TrainingItem]:
    """The questions that the router's heads are fitted on: the newest `most` of each kind on facts that hold."""
    now = workspace.clock()
    standing = {f.id: f for f in workspace.ledger.facts(workspace.namespace) if holds(f, now)}
    items = [i for i in workspace.ledger.items(workspace.namespace) if i.split == "dev" and i.fact in standing]
    items = still_sound(items, standing, list(standing.values()))
    return _newest(items, "question", most) + _newest(items, "refusal", most)


def _newest(items: list[TrainingItem], kind: str, most: int) -> list[TrainingItem]:
    return [i for i in items if i.kind == kind][-most:]


def drift(workspace: Workspace) -> float:
    """Cross-entropy with the active adapter minus that of the bare base, nats per token, on the report's text.

    Raises `WrongBase` or `CorruptAdapter`."""
    model = workspace.trainable()
    rows = general.drift_rows(model, "test", EvalSettings())
    active = workspace.adapters.active()
    if active is None:
        return 0.0
    with model.adapted(None):
        base = model.cross_entropy(rows)
    with load_verified(model, active, workspace.adapters.path(active.version)):
        return model.cross_entropy(rows) - base


def estimate(workspace: Workspace, recipe: str | Recipe) -> DreamReport:
    """What a night would do and cost at most: the facts that wait, and seconds from the last night's rates (or, on a
    first night, from a short measurement of this model on this machine). Its seconds are those of the longest training;
    the reason gives the shortest too. Changes nothing."""
    chosen = recipes.load(recipe, workspace.model.name) if isinstance(recipe, str) else recipe
    workspace = workspace.without_secrets()
    context = _context(workspace)
    settings = chosen.train
    waiting = workspace.ledger.unextracted(workspace.namespace, at=workspace.clock())
    chosen_facts = selected(context, chosen)
    facts_a_text = 0.5
    expected = min(chosen.max_new_facts, len(chosen_facts.new) + round(facts_a_text * len(waiting)))
    training = strategies.get(chosen.strategy).expect(expected, len(chosen_facts.old), settings)
    # A chat model's template brings the instruction along, which the bundled base's leaves out.
    row = context.model.count_tokens(prompts.answer(USUAL_QUESTION)) + USUAL_ANSWER
    step_tokens = training.rows * row + training.general_rows * settings.general_tokens
    training = training.within(settings.token_budget, step_tokens)
    tokens = training.steps * step_tokens
    rate = _tokens_a_second(workspace)
    seconds = tokens / rate
    fewest = LrSchedule.of(settings, training.steps).fewest / max(1, training.steps) * seconds
    span = f"{in_words(fewest)} to {in_words(seconds)} of training, which ends once the answers are known"
    steps = [
        Step("extract", 0.0, counts={"episodes": len(waiting)}),
        Step("train", seconds, tokens, {"steps": training.steps, "new": expected, "old": len(chosen_facts.old)}),
    ]
    reasons = [started_anew(context), f"{span}; at {rate:,.0f} trained tokens a second"]
    if context.reader is not context.model:
        nights = workspace.ledger.dreams(workspace.namespace)
        read = reader_steps(context.reader, chosen, waiting, expected, nights)
        by_name = {step.name: step for step in read}
        # In the order of a night, with what the two estimates say of one step together.
        steps = [
            replace(by_name.pop(step.name), counts=step.counts) if step.name in by_name else step for step in steps
        ]
        steps = [step for name in ORDER for step in (*steps, *by_name.values()) if step.name == name]
        reasons.append(beyond_bound(context.reader, reader_usage(steps)))
    return DreamReport(
        id=new_id("dr"),
        namespace=workspace.namespace,
        status="estimated",
        night=next_night(workspace.ledger, workspace.namespace),
        started_at=workspace.clock(),
        seconds=seconds,
        new_facts=expected,
        held_facts=expected + len(chosen_facts.old),
        unlearned=chosen_facts.deleted,
        steps=tuple(steps),
        trained_tokens=tokens,
        reason="; ".join(filter(None, reasons)),
        reader=reader_usage(steps),
    )


def _tokens_a_second(workspace: Workspace) -> float:
    for report in reversed(workspace.ledger.dreams(workspace.namespace)):
        for step in report.steps:
            if step.name == "train" and report.trained_tokens and step.seconds:
                return report.trained_tokens / step.seconds
    model = workspace.trainable()
    rows = general.rows(model, "dev", EvalSettings().drift_tokens)[:8]
    started = time.perf_counter()
    with model.adapted(None):
        model.cross_entropy(rows)
    # A training step is a forward and a backward pass, about three times a forward pass alone.
    return sum(map(len, rows)) / (3 * (time.perf_counter() - started))
