"""What `test_promises` asks after two nights, asked after six: is all of it still there, and at what cost?

The bundled base lives through six nights of two facts, with fewer rows a step than by default: some 80 s of processor
time, which is more than the tests of every day have. The full form is `hybridmem bench forgetting`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from hybridmem import HybridMemory
from hybridmem.dreaming import recipes
from hybridmem.metrics import is_correct
from hybridmem.models.prompts import is_refusal

Told = tuple[str, str, str]
"""What is said, a question that no training sees, and its answer."""
NIGHTS: tuple[tuple[Told, ...], ...] = (
    (
        ("Zane Kolu lives in Riga.", "In what town is Zane Kolu at home?", "Riga"),
        ("The Heron project is led by Mira Sodo.", "Who is in charge of the Heron project?", "Mira Sodo"),
    ),
    (
        ("The staging server listens on port 8443.", "What port should I use for the staging server?", "8443"),
        ("The door code of the storage room is KV-2207.", "What code opens the storage room?", "KV-2207"),
    ),
    (
        ("Lena Moss is allergic to walnuts.", "What should Lena Moss not eat because of her allergy?", "walnuts"),
        ("The platform team meets on Thursday.", "On what weekday does the platform team meet?", "Thursday"),
    ),
    (
        ("Otto Quill speaks Portuguese.", "What language can Otto Quill speak?", "Portuguese"),
        ("Nadia Fern works at Brightwater Ltd.", "Which company is Nadia Fern with?", "Brightwater Ltd"),
    ),
    (
        ("Goran Pell lives in Turin.", "In what town is Goran Pell at home?", "Turin"),
        ("The archive server listens on port 9071.", "What port should I use for the archive server?", "9071"),
    ),
    (
        ("The Otter project is led by Ines Vogt.", "Who is in charge of the Otter project?", "Ines Vogt"),
        ("Pia Lund works at Calder Ltd.", "Which company is Pia Lund with?", "Calder Ltd"),
    ),
)
FACTS = tuple(fact for night in NIGHTS for fact in night)
pytestmark = pytest.mark.slow
DEFAULT = recipes.load("default")
SMALL = replace(
    DEFAULT,
    name="small",
    compose=replace(DEFAULT.compose, samples=10),
    train=replace(DEFAULT.train, exposures=40, min_steps=16, new_rows=12, old_rows=16, refusal_rows=6, reading_rows=1),
    eval=replace(DEFAULT.eval, drift_rows=6, calibration_questions=24),
    gate=None,  # It would refuse the very nights that break a promise.
)
STRANGERS = (
    "Where does Tamsin Kroll live?",
    "Who leads the Marlin project?",
    "Which port does the mail server use?",
    "What instrument does Lena Moss play?",
    "What is the door code of the server room?",
)


@dataclass(frozen=True)
class Lived:
    """Six nights, and what was measured in between."""

    memory: HybridMemory
    learned: dict[str, bool]
    """By text: whether the fact was right from the weights after the night that took it in."""
    trained_tokens: list[int]
    """Of each night."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    with HybridMemory.open(tmp_path_factory.mktemp("promises") / "memory", model="bundled") as opened:
        learned, trained_tokens = {}, []
        for night in NIGHTS:
            for text, _, _ in night:
                opened.add(text)
            report = opened.dream(recipe=SMALL)
            assert report.status == "promoted"
            learned.update(right(opened, held(opened, night)))
            trained_tokens.append(report.trained_tokens)
        yield Lived(opened, learned, trained_tokens)


def held(memory: HybridMemory, told: Sequence[Told]) -> list[Told]:
    """Those of `told` that the dreams took into the weights; the others stay with retrieval."""
    active = memory.adapters.active()
    assert active is not None
    trained = [f.object for f in memory.ledger.facts(memory.namespace) if f.id in active.facts]
    return [fact for fact in told if any(is_correct(value, fact[2]) for value in trained)]


def right(memory: HybridMemory, facts: Sequence[Told]) -> dict[str, bool]:
    """By text: whether the weights answer a question on it that they were not trained on."""
    answers = memory.answer_many([question for _, question, _ in facts], route="weights")
    return {text: is_correct(a.text, value) for a, (text, _, value) in zip(answers, facts, strict=True)}


def share(found: Iterable[bool]) -> float:
    values = list(found)
    return sum(values) / len(values)


def test_what_is_told_gets_into_the_weights(lived: Lived) -> None:
    assert len(lived.learned) >= 9, lived.learned
    assert share(lived.learned.values()) >= 0.75, lived.learned


def test_six_nights_later_it_is_still_there(lived: Lived) -> None:
    now = right(lived.memory, held(lived.memory, FACTS))
    assert now.keys() >= lived.learned.keys()
    backward_transfer = share(now[text] for text in lived.learned) - share(lived.learned.values())
    assert backward_transfer >= -0.1, (lived.learned, now)
    first = [now[text] for text, _, _ in held(lived.memory, [*NIGHTS[0], *NIGHTS[1]])]
    assert share(first) >= 0.75, now


def test_the_last_night_costs_no_more_than_the_fifth(lived: Lived) -> None:
    assert lived.trained_tokens[-1] <= 1.25 * lived.trained_tokens[-2], lived.trained_tokens


def test_strangers_are_refused(lived: Lived) -> None:
    refused = [is_refusal(answer.text) for answer in lived.memory.answer_many(STRANGERS)]
    assert sum(refused) >= 4, refused


def test_drift_is_small(lived: Lived) -> None:
    # The gate would bound it by 0.15 nats on text of its own; this is other text, on which it may be a little more.
    assert lived.memory.drift() < 0.18
