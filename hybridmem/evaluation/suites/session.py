"""What a model answers about sessions that it has read: the session memory beside text, nothing, and its own controls.

Every arm but the full context reads as many tokens of a session at a question. The claims (`session.claims`) were
written down before the first run.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem import metrics
from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput, ModelError
from hybridmem.evaluation.session import claims
from hybridmem.evaluation.session.claims import Claim
from hybridmem.evaluation.session.figures import ArmFigures, Row, arm_figures
from hybridmem.evaluation.session.rows import Rows
from hybridmem.evaluation.session.script import make_script
from hybridmem.evaluation.suites.model.squad import f1
from hybridmem.models import prompts

if TYPE_CHECKING:
    from hybridmem.embedding.base import Embedder
    from hybridmem.evaluation.session.arms import Bench
    from hybridmem.memory import HybridMemory
    from hybridmem.models.huggingface.model import HuggingFaceModel

SIZES = (1024, 2048, 1024, 2048, 4096, 1024)
"""Tokens of each session, unless others are asked for: those that fit the default base's context, and few enough for
half an hour of one core."""
CONTROLS_EVERY = 4
"""A control is asked one question in so many."""
OTHER = 1_000_003
"""Added to a session's seed for the session of the placebo."""


@dataclass(frozen=True, slots=True)
class SessionReport:
    """Every arm's figures, the claims, and the conditions."""

    arms: tuple[ArmFigures, ...]
    claims: tuple[Claim, ...]
    model: str
    base_sha256: str
    sizes: tuple[int, ...]
    """Tokens of each session."""
    facts: int
    budget: int
    controls_every: int
    seed: int
    threads: int
    torch: str
    machine: str
    date: str


def run(
    *,
    model: str | HuggingFaceModel | None = None,
    embedder: str | Embedder | None = None,
    sizes: Sequence[int] | None = None,
    facts: int = 9,
    budget: int = 256,
    arms: Sequence[str] | None = None,
    controls_every: int = CONTROLS_EVERY,
    seed: int = 0,
    out: Path | None = None,
    progress: Callable[[str, int, int], None] = lambda step, done, total: None,
) -> SessionReport:
    """Read a session of each of `sizes` (default: `SIZES`) and ask about `facts` of its facts, by every arm.

    With `out`, a file of JSON lines, each answer is on disk before the next question, and a run that was stopped goes
    on from there. Raises `InvalidInput` for what does not fit together, and `ModelError` for a model that the session
    memory does not know."""
    import torch

    from hybridmem import embedding
    from hybridmem.evaluation import real_model
    from hybridmem.evaluation.session.arms import ARMS, Bench
    from hybridmem.running.families import unsupported
    from hybridmem.running.reader import SessionReader

    sizes = tuple(SIZES if sizes is None else sizes)
    names = _named(arms, {name: arm.default for name, arm in ARMS.items()})
    for name, value in (("facts", facts), ("budget", budget), ("controls_every", controls_every)):
        arguments.whole(name, value, least=1, most=2**31 - 1)
    for size in sizes:
        arguments.whole("sizes", size, least=1, most=2**31 - 1)
    if not sizes:
        raise InvalidInput("the benchmark of sessions needs a session at least: name its tokens")
    base = real_model.loaded(model) if model is None or isinstance(model, str) else model
    if (reason := unsupported(base)) is not None:
        raise ModelError(f"the model {base.name} {reason}: pass one of a family that the session memory knows")
    conditions = {
        "base_sha256": base.sha256,
        "sizes": list(sizes),
        "facts": facts,
        "budget": budget,
        "controls_every": controls_every,
        "seed": seed,
    }
    rows = Rows(out, conditions)
    # Loaded once, and not in the first session's time.
    vectors = embedder or embedding.DEFAULT
    if isinstance(vectors, str):
        vectors = embedding.load(vectors)
    vectors.embed(["warm"])

    def count(text: str) -> int:
        return len(base.encode_text(f"- {text}\n"))

    with base.adapted(None), base.exclusive():
        reader = SessionReader(base)
        for number, size in enumerate(sizes):
            own, other = (make_script(seed + number + more, size, facts, count) for more in (0, OTHER))
            with tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder, _opener(vectors) as open_memory:
                bench = Bench(reader, own, other, budget, seed + number, Path(folder), open_memory)
                for done, name in enumerate(names):
                    progress(f"session {number + 1} of {len(sizes)}", done, len(names))
                    _ask(bench, name, number, controls_every, rows)
    answered = {row.arm for row in rows.all}
    return SessionReport(
        arms=tuple(arm_figures(rows.all, name, seed=seed) for name in ARMS if name in answered),
        claims=claims.checked(rows.all, seed=seed),
        model=base.name,
        base_sha256=base.sha256,
        sizes=sizes,
        facts=facts,
        budget=budget,
        controls_every=controls_every,
        seed=seed,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        machine=platform.processor() or platform.machine(),
        date=date.today().isoformat(),
    )


def _named(arms: Sequence[str] | None, known: dict[str, bool]) -> tuple[str, ...]:
    """The arms of these names, in the order of the table; None is every one that is on by default."""
    if arms is None:
        return tuple(name for name, default in known.items() if default)
    if unknown := [name for name in arms if name not in known]:
        raise InvalidInput(f"no such arm: {', '.join(unknown)}; choose of {', '.join(known)}")
    return tuple(name for name in known if name in arms)


def _ask(bench: Bench, name: str, number: int, controls_every: int, rows: Rows) -> None:
    """Every question of one session to one arm, but those that were answered in an earlier run."""
    from hybridmem.evaluation.session.arms import ARMS
    from hybridmem.evaluation.session.reply import Stopwatch, reply

    arm = ARMS[name]
    asked = bench.script.questions[:: controls_every if arm.control else 1]
    asked = tuple(question for question in asked if not rows.has(number, name, question.id))
    if not asked:
        return
    spent = bench.reading.processor if arm.of_state else 0.0
    began = Stopwatch.start()
    ready = arm.make(bench)
    if ready is None:
        return
    spent += began.read().processor
    with ready.within():
        for question in asked:
            since = Stopwatch.start()
            ids = ready.ids(bench.reader, question)
            prefix, read = ready.behind(question, ids)
            said = reply(bench.reader, question, ids, prefix, ready.votes, since)
            rows.add(
                Row(
                    session=number,
                    session_tokens=bench.script.tokens,
                    arm=name,
                    question=question.id,
                    fact=question.fact,
                    kind=question.kind,
                    phrasing=question.phrasing,
                    behind=question.behind,
                    said=said.text,
                    right=metrics.is_correct(said.text, question.answer or prompts.REFUSAL),
                    f1=f1(said.text, [question.answer or prompts.REFUSAL]),
                    nats=said.nats,
                    refused=prompts.is_refusal(said.text),
                    stale=bool(question.banned) and metrics.is_correct(said.text, question.banned),
                    replaced=bool(question.banned),
                    seconds=said.took.wall,
                    processor_seconds=said.took.processor,
                    read=read,
                    reading_processor_seconds=spent,
                    nbytes=ready.nbytes,
                )
            )


@contextmanager
def _opener(embedder: Embedder) -> Iterator[Callable[[Path], HybridMemory]]:
    """Opens memories in folders of their own, and closes them all."""
    from hybridmem.memory import HybridMemory
    from hybridmem.models.fake import FakeModel

    with ExitStack() as stack:
        yield lambda folder: stack.enter_context(
            HybridMemory.open(folder, namespace=("bench",), model=FakeModel(), embedder=embedder, vectors="memory")
        )
