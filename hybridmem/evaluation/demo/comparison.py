"""With replay and without: the demo's days in two memories that differ in the replay of older facts and nothing else.

Both arms dream without a gate, which would refuse the nights that forget and so show nothing. The first night has
nothing to replay: where a gate let it pass as it was trained, both arms start from the memory as it was then.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.continual import registry as strategies
from hybridmem.evaluation.demo.arm import Arm
from hybridmem.evaluation.demo.chapters import night
from hybridmem.evaluation.demo.console import DemoConsole
from hybridmem.evaluation.demo.days import Days
from hybridmem.evaluation.lifecycle import dream_recipe
from hybridmem.evaluation.terminal import retention_table
from hybridmem.memory import HybridMemory

WITH_REPLAY, WITHOUT_REPLAY = "replay", "distil-only"
"""The strategies of the two arms. The second does all that the first does, but for the older facts."""
Open = Callable[[Path], HybridMemory]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both arms kept, and what was done to find out."""

    with_replay: dict[str, Any]
    without_replay: dict[str, Any]
    explanation: str

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        return {"with replay": self.with_replay, "without replay": self.without_replay}


def compare(
    console: DemoConsole,
    first: Arm,
    main: Arm,
    main_result: dict[str, Any],
    after_first: Path,
    days: Days,
    open_memory: Open,
) -> Comparison:
    """Run the arms that `main` (with replay, behind the gate) does not stand for.

    `first` is `main` after its first night, and the folder `after_first` a copy of its memory of then; the arms' own
    folders lie beside it."""
    shared, ungated = main.passed_unscaled(nights=1), main.passed_unscaled()

    def lived(strategy: str) -> dict[str, Any]:
        folder = after_first.with_name(strategy)
        if shared:
            shutil.copytree(after_first, folder)
        recipe = dream_recipe(strategies.get(strategy), main.recipe, gate=False)
        with open_memory(folder) as memory:
            arm = first.continued(memory, recipe) if shared else Arm(memory, recipe)
            for number in range(len(arm.nights), len(days.logs)):
                console.add(memory, days.logs[number])
                night(console, arm, days, number)
            return arm.result(days.unanswerable)

    found = Comparison(
        with_replay=main_result if ungated else lived(WITH_REPLAY),
        without_replay=lived(WITHOUT_REPLAY),
        explanation=explanation(shared=shared, ungated=ungated),
    )
    for name, result in found.results.items():
        if result is not main_result:
            console.console.print(retention_table(result["R"], title=f"What each night kept, {name}, no gate"))
    console.say("What was compared", found.explanation)
    return found


def explanation(*, shared: bool, ungated: bool) -> str:
    """What the two arms differ in, and where they come from.

    `shared`: they share the first night; `ungated`: the memory behind the gate stands for the arm with replay."""
    first = (
        "Both start from the first night, which has nothing to replay. "
        if shared
        else "Both live through every day from the first. "
    )
    replay = (
        "With replay is the memory above: its gate let every night pass as it was trained, so that it changed nothing."
        if ungated
        else "The gate of the memory above refused a night or shrank an adapter, so a second memory with replay and "
        "without a gate was run to compare with."
    )
    return (
        f"Two memories with the same days, seed and recipe, both without a gate: the strategy {WITH_REPLAY}, and the "
        f"strategy {WITHOUT_REPLAY}, which leaves out the replay of older facts and changes nothing else. "
        f"{first}{replay}"
    )
