"""One sentence that tells why the router answered as it did."""

from __future__ import annotations

from hybridmem.router.decision import Decision, Reading
from hybridmem.router.signals import Evidence


def why(
    decision: Decision,
    known: Evidence,
    weights: Reading | None,
    memories: Reading | None,
    threshold: float,
    risk: float,
) -> str:
    """Of a `decision` that nobody forced, from what the ledger knows of the question, what each reading said, and the
    confidence below which the router abstains to keep to `risk`. None stands for a reading that was not needed."""
    sure = _percent(decision.confidence)
    match decision.route:
        case "both":
            return f"The weights and the memories say the same, which is {sure} likely to be right."
        case "weights" if memories:
            others = "the memories do not say" if memories.refuses else f"the memories {_percent(memories.confidence)}"
            return f"The weights are {sure} sure of their answer, and {others}."
        case "weights":
            return (
                f"The weights learned this, gave {_percent(known.audited)} of the right answers when they were audited "
                f"on it, and are {sure} sure: no memory had to be read."
            )
        case "retrieval":
            return f"The memories were read, because {_why_not_weights(known, weights)}; their answer is {sure} sure."
    if decision.reading is None:
        return "Nothing that is remembered looks like an answer, so that nobody was asked."
    if decision.reading.refuses:
        return "What was read does not say."
    doubted = (
        f"The best answer, {_quoted(decision.reading.said.text)}, is only {_percent(1 - decision.confidence)} sure"
    )
    return f"{doubted}: from {_percent(threshold)} up, {_percent(risk)} of the questions may be answered wrongly."


def _why_not_weights(known: Evidence, weights: Reading | None) -> str:
    if weights is not None:
        return (
            "the weights do not say" if weights.refuses else f"the weights are only {_percent(weights.confidence)} sure"
        )
    if known.fact is None:
        return "no fact is about this"
    reasons = (
        (not known.consolidated, "the nearest fact is not in the weights, or no longer true"),
        (not known.names_subject, "the question does not name whom the nearest fact is about"),
        (not known.holds_then, "the question asks of a time at which the nearest fact does not hold"),
        (not known.fresh, "something was said since the weights learned the nearest fact"),
        (known.wording <= 0, "the question asks something else of the nearest fact's subject"),
        (known.audited <= 0, "the weights failed their audit on the nearest fact"),
    )
    # Forgotten weights, and those of another base, are not asked whatever the evidence.
    return next((reason for is_so, reason in reasons if is_so), "the weights may not be asked")


def _quoted(text: str) -> str:
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"


def _percent(share: float) -> str:
    return f"{share:.0%}"
