"""How many held-out exercises an adapter answers word for word, by one forward pass over each.

An answer whose every token is the most probable one behind those before it is what greedy decoding writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from torch import Tensor

from hybridmem.models import prompts
from lab.skills.exercises import NaturalExercises
from lab.skills.natural import NaturalRecord
from lab.skills.trees import Render, Row, Tree, row_of, tree_of

MEMORIES = (1, 3, 6)


@dataclass(frozen=True, slots=True)
class Held:
    """Rows of held-out exercises, and for each of their answers its kind, in the order of the rows."""

    trees: tuple[Tree, ...]
    kinds: tuple[tuple[str, ...], ...]


def held_out(records: Sequence[NaturalRecord], render: Render, longest: int, seed: int) -> Held:
    """Each of `records` asked about over one, three or six memories in turn, and split into propositions."""
    rng = Random(seed)  # noqa: S311
    exercises = NaturalExercises(records, rng)
    trees: list[Tree] = []
    kinds: list[tuple[str, ...]] = []
    for number, record in enumerate(records):
        others = [other for other in rng.sample(list(records), min(8, len(records))) if other is not record]
        asked = exercises.questions_over([record, *others[: MEMORIES[number % 3] - 1]], [record])
        for group in (asked, [exercises.propositions_of(record)]):
            tree = tree_of(group, render, longest)
            if tree is not None and len(tree.branches) == len(group):
                trees.append(tree)
                kinds.append(tuple(_kind(record, prompt[-1]["content"], completion) for prompt, completion in group))
    return Held(tuple(trees), tuple(kinds))


def scores(
    logits_of: Callable[[list[Row]], tuple[Tensor, Tensor, Tensor]], held: Held, length: int, pad: int
) -> dict[str, float]:
    """By kind the share of answers that greedy decoding gives word for word, `mean` over the kinds, and `loss`."""
    right: dict[str, list[float]] = defaultdict(list)
    nats = tokens = 0.0
    order = sorted(range(len(held.trees)), key=lambda at: len(held.trees[at]))
    while order:
        chosen = [order.pop()]
        used = len(held.trees[chosen[0]])
        for at in list(order):
            if used + len(held.trees[at]) <= length:
                order.remove(at)
                chosen.append(at)
                used += len(held.trees[at])
        logits, targets, _ = logits_of([row_of([held.trees[at] for at in chosen], length, pad)])
        logprobs = logits.float().log_softmax(-1)
        nats -= float(logprobs.gather(1, targets[:, None]).sum())
        tokens += len(targets)
        hit = logprobs.argmax(-1) == targets
        start = 0
        for at in chosen:
            for branch, kind in zip(held.trees[at].branches, held.kinds[at], strict=True):
                found = hit[start : start + len(branch.completion)]
                right[kind].append(float(found.float().mean()) if kind == "propositions" else float(found.all()))
                start += len(branch.completion)
    by_kind = {kind: sum(values) / len(values) for kind, values in right.items()}
    return {"loss": nats / max(1.0, tokens), "mean": sum(by_kind.values()) / max(1, len(by_kind)), **by_kind}


def _kind(record: NaturalRecord, prompt: str, completion: str) -> str:
    if prompt.split("\n")[-1].startswith("Statements in: "):
        return "propositions"
    if completion == prompts.REFUSAL:
        return "refused"
    if completion in {"Yes", "No"}:
        return "yes_no"
    return (
        "changed" if record.change is not None and completion in (record.change.new, record.change.old) else "answered"
    )
