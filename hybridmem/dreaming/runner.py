"""A dream of a `HybridMemory`: the lock, the parts, the cycle, and the router's calibration after it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from hybridmem.core.errors import DreamBusy, DreamInterrupted
from hybridmem.core.records import DreamReport, Step, TrainingItem, new_id
from hybridmem.dreaming import general, recipes
from hybridmem.dreaming.cycle import Progress, dream
from hybridmem.dreaming.plan import EXAM_ROWS, EXAM_TOKENS, DreamContext, selected
from hybridmem.dreaming.recipes import Recipe
from hybridmem.dreaming.recovery import UNCALIBRATED, next_night
from hybridmem.dreaming.steps.compose import still_sound
from hybridmem.models import prompts
from hybridmem.models.huggingface.tensors import cross_entropy
from hybridmem.router.calibration import fit
from hybridmem.router.policy import CALIBRATION
from hybridmem.training.examples import steps_of

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

AUDITS_CALIBRATED_ON = 60
"""At most so many audit questions of each kind: the newest."""
USUAL_QUESTION, USUAL_ANSWER = "In which of these cities does Ana Brito live?", 6
"""A row of a training, for an estimate of its cost: a question, and the tokens of an answer."""


def run(memory: HybridMemory, recipe: str | Recipe, progress: Progress) -> DreamReport:
    """One night of `memory`. Raises `DreamBusy`, `DreamInterrupted`, `ModelError`, `AdapterError`, `InvalidInput`."""
    chosen = recipes.load(recipe) if isinstance(recipe, str) else recipe
    bed = _bed(memory)
    lock = FileLock(memory.folder.dream_lock(memory.namespace), timeout=0)
    try:
        with lock:
            report = dream(bed, chosen, progress)
            memory.catch_up()
            # Not only after a promotion: a dream may have been stopped between the two.
            if memory.ledger.value(memory.namespace, UNCALIBRATED) is not None:
                calibrate(memory)
                memory.ledger.set_value(memory.namespace, UNCALIBRATED, None)
            return report
    except Timeout:
        raise DreamBusy(
            f"another process dreams {'/'.join(memory.namespace)} now: wait until it is done, then try again"
        ) from None
    except KeyboardInterrupt:
        pending = memory.ledger.value(memory.namespace, UNCALIBRATED)
        active = memory.adapters.active()
        done = pending is not None and active is not None and pending["adapter"] == active.version
        kept = f"{pending['adapter']} was promoted before" if done and pending else "nothing was promoted"
        raise DreamInterrupted(
            f"the dream was interrupted and {kept}: run `hybridmem dream` again to resume it"
        ) from None


def _bed(memory: HybridMemory) -> DreamContext:
    model = memory.trainable()
    return DreamContext(
        ledger=memory.ledger,
        registry=memory.adapters,
        model=model,
        reader=model,
        namespace=memory.namespace,
        folder=memory.folder.dream(memory.namespace),
        clock=memory._clock,
    )


def calibrate(memory: HybridMemory) -> None:
    """Fit the router's heads on the audits: questions that no training saw, unanswerable ones among them."""
    standing = {f.id: f for f in memory.ledger.facts(memory.namespace)}
    items = [i for i in memory.ledger.items(memory.namespace) if i.split == "dev" and i.fact in standing]
    items = still_sound(items, standing, list(standing.values()))
    asked = _newest(items, "question") + _newest(items, "refusal")
    if not asked:
        return
    observed = memory.router.observe([i.question for i in asked], [i.answer for i in asked])
    memory.ledger.set_value(memory.namespace, CALIBRATION, fit(observed).to_json())


def _newest(items: list[TrainingItem], kind: str) -> list[TrainingItem]:
    return [i for i in items if i.kind == kind][-AUDITS_CALIBRATED_ON:]


def drift(memory: HybridMemory) -> float:
    """Cross-entropy with the active adapter minus that of the bare base, nats per token, on the report's text."""
    model = memory.trainable()
    rows = general.rows(model, "test", EXAM_TOKENS)[:EXAM_ROWS]
    active = memory.adapters.active()
    if active is None:
        return 0.0
    with model.adapted(None):
        base = cross_entropy(model, rows)
    with model.adapted(memory.adapters.path(active.version)):
        return cross_entropy(model, rows) - base


def estimate(memory: HybridMemory, recipe: str | Recipe) -> DreamReport:
    """What a night would do and cost at most: the facts that wait, and seconds from the last night's rates (or, on a
    first night, from a short measurement of this model on this machine). Changes nothing."""
    chosen = recipes.load(recipe) if isinstance(recipe, str) else recipe
    bed = _bed(memory)
    settings = chosen.train
    waiting = memory.ledger.unextracted(memory.namespace)
    chosen_facts = selected(bed, chosen)
    facts_a_text = 0.5
    expected = min(chosen.max_new_facts, len(chosen_facts.new) + round(facts_a_text * len(waiting)))
    steps = steps_of(expected, settings) if expected else 0
    rows, general_tokens = settings.new_rows, 0
    if chosen.replay:
        rows += (settings.old_rows if chosen_facts.old else 0) + settings.refusal_rows + settings.reading_rows
        general_tokens = settings.general_rows * settings.general_tokens
    # A chat model's template brings the instruction along, which the bundled base's leaves out.
    row = bed.model.count_tokens(prompts.answer(USUAL_QUESTION)) + USUAL_ANSWER
    tokens = steps * (rows * row + general_tokens)
    rate = _tokens_a_second(memory)
    seconds = tokens / rate
    return DreamReport(
        id=new_id("dr"),
        namespace=memory.namespace,
        status="estimated",
        night=next_night(memory.ledger, memory.namespace),
        started_at=memory._clock(),
        seconds=seconds,
        new_facts=expected,
        held_facts=expected + len(chosen_facts.old),
        unlearned=chosen_facts.deleted,
        steps=(
            Step("extract", 0.0, counts={"episodes": len(waiting)}),
            Step("train", seconds, tokens, {"steps": steps, "new": expected, "old": len(chosen_facts.old)}),
        ),
        trained_tokens=tokens,
        reason=f"at most, at {rate:,.0f} trained tokens a second",
    )


def _tokens_a_second(memory: HybridMemory) -> float:
    for report in reversed(memory.dreams()):
        for step in report.steps:
            if step.name == "train" and report.trained_tokens and step.seconds:
                return report.trained_tokens / step.seconds
    model = memory.trainable()
    rows = general.rows(model, "dev", EXAM_TOKENS)[:8]
    started = time.perf_counter()
    with model.adapted(None):
        cross_entropy(model, rows)
    # A training step is a forward and a backward pass, about three times a forward pass alone.
    return sum(map(len, rows)) / (3 * (time.perf_counter() - started))
