"""What was claimed of the session memory before it was measured, and whether a run bears it out.

A claim is decided on the figure itself; the interval beside it says how far that can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hybridmem.evaluation.session.figures import (
    Estimate,
    Row,
    answerable,
    difference,
    first_token,
    ratio_of_gains,
    right,
    unanswerable,
    wrongly_answered,
)

FULL_GAIN = 0.9
"""H1: proportion of the full context's gain in answer loss over nothing that the session memory keeps."""
OVER_TRUNCATION = 0.15
"""H2: points of exact match over the end of the session, on facts that are not in its last `FAR` tokens."""
FAR = 512
BEHIND_RETRIEVAL = 0.03
"""H3: points of exact match that text retrieval is ahead, at most."""
TIMES_SOONER = 3.0
"""H3: times sooner than text retrieval that the first token is there, in processor time."""
OUTPUT_GAIN = 0.05
"""H4: points of exact match that the output memory adds."""
MORE_FALSE = 0.02
"""H4: points of false answers that it adds, at most."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, and what a run says of it."""

    name: str
    text: str
    held: bool | None
    """None where a run lacks what would decide it."""
    figures: tuple[tuple[str, Estimate], ...]
    """What decided it, by name."""


def checked(rows: Sequence[Row], *, seed: int) -> tuple[Claim, ...]:
    """All five claims, on the rows of one run."""
    return (_h1(rows, seed), _h2(rows, seed), _h3(rows, seed), _h4(rows, seed), _h5(rows, seed))


def _h1(rows: Sequence[Row], seed: int) -> Claim:
    gain = ratio_of_gains(answerable(rows), "session", "full context", "none", seed=seed)
    return _claim(
        "H1",
        f"Where the session fits the context, the session memory keeps at least {FULL_GAIN:.0%} of the full context's "
        f"gain in answer loss over no memory.",
        {"proportion of the gain": gain},
        lambda gain: gain.value >= FULL_GAIN,
    )


def _h2(rows: Sequence[Row], seed: int) -> Claim:
    far = [row for row in answerable(rows) if row.behind > FAR]
    ahead = difference(far, "session", "truncation", right, seed=seed)
    return _claim(
        "H2",
        f"On facts that are not in the last {FAR} tokens, the session memory beats the end of the session by at least "
        f"{OVER_TRUNCATION * 100:.0f} points of exact match.",
        {"points ahead": ahead},
        lambda ahead: ahead.value >= OVER_TRUNCATION,
    )


def _h3(rows: Sequence[Row], seed: int) -> Claim:
    behind = difference(answerable(rows), "retrieval", "session", right, seed=seed)
    sooner = first_token(rows, "retrieval", "session", seed=seed)
    return _claim(
        "H3",
        f"Text retrieval that reads as much is at most {BEHIND_RETRIEVAL * 100:.0f} points of exact match better, and "
        f"takes at least {TIMES_SOONER:.0f} times as long to the first token.",
        {"points behind": behind, "times sooner": sooner},
        lambda behind, sooner: behind.value <= BEHIND_RETRIEVAL and sooner.value >= TIMES_SOONER,
    )


def _h4(rows: Sequence[Row], seed: int) -> Claim:
    ahead = difference(answerable(rows), "session, output memory", "session", right, seed=seed)
    false = difference(unanswerable(rows), "session, output memory", "session", wrongly_answered, seed=seed)
    return _claim(
        "H4",
        f"The output memory adds at least {OUTPUT_GAIN * 100:.0f} points of exact match and at most "
        f"{MORE_FALSE * 100:.0f} points of false answers.",
        {"points ahead": ahead, "more false answers": false},
        lambda ahead, false: ahead.value >= OUTPUT_GAIN and false.value <= MORE_FALSE,
    )


def _h5(rows: Sequence[Row], seed: int) -> Claim:
    asked = [row for row in answerable(rows) if row.phrasing == "question"]
    found = {rule: difference(asked, rule, "none", right, seed=seed) for rule in ("delta state", "ridge state")}
    return _claim(
        "H5",
        "An untrained state of fixed size answers no more questions than no memory: the interval of the difference "
        "reaches 0.",
        {f"{rule}, points ahead": ahead for rule, ahead in found.items()},
        lambda *ahead: all(each.low <= 0 for each in ahead),
    )


def _claim(name: str, text: str, figures: dict[str, Estimate | None], decide: Callable[..., bool]) -> Claim:
    known = tuple((title, each) for title, each in figures.items() if each is not None)
    return Claim(name, text, decide(*(each for _, each in known)) if len(known) == len(figures) else None, known)
