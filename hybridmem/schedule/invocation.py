"""The command line that other schedulers run: the same schedule and memory, for one night."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.schedule.durations import written
from hybridmem.schedule.plan import SchedulePlan


@dataclass(frozen=True, slots=True)
class NightCommand:
    """One night of `plan` on a memory, as arguments of ``hybridmem``."""

    plan: SchedulePlan
    memory: Path
    model: str | None = None
    embedder: str | None = None
    vectors: str | None = None
    reader: str | None = None
    quiet: tuple[str, ...] = ()
    """The quiet hours as the user wrote them."""
    log: Path | None = None

    def arguments(self, memory: Path | None = None) -> list[str]:
        """The arguments after the program's name. `memory` is the folder's path in a container. A container has none of
        this machine's other files, so it writes no log file."""
        plan = self.plan
        arguments = ["--memory", str(memory or self.memory.absolute())]
        if plan.namespaces is not None and len(plan.namespaces) == 1:
            arguments += ["--namespace", "/".join(plan.namespaces[0])]
        for name in ("model", "embedder", "vectors", "reader"):
            if (given := getattr(self, name)) is not None:
                arguments += [f"--{name}", given]
        arguments += ["schedule", "--once", "--cron", plan.cron.text, "--zone", plan.cron.zone]
        if plan.namespaces is None:
            arguments.append("--all")
        elif len(plan.namespaces) > 1:
            arguments += [word for namespace in plan.namespaces for word in ("--for", "/".join(namespace))]
        arguments += ["--catch-up", written(plan.catch_up)]
        arguments += [word for window in self.quiet for word in ("--quiet", window)]
        bounds = (("seconds", plan.budget.seconds), ("tokens", plan.budget.tokens), ("memory", plan.budget.memory_gb))
        for name, bound in bounds:
            arguments += [f"--max-{name}", f"{bound:.15g}"] if bound is not None else []
        arguments += ["--retries", str(plan.retries.most), "--at-once", str(plan.at_once)]
        if plan.recipe != "default":
            arguments += [
                "--recipe",
                str(Path(plan.recipe).absolute()) if plan.recipe.endswith(".toml") else plan.recipe,
            ]
        if self.log is not None and memory is None:
            arguments += ["--log", str(self.log.absolute())]
        return arguments


def program() -> Sequence[str]:
    """How ``hybridmem`` is started here, independently of the PATH."""
    script = Path(sys.executable).with_name("hybridmem")
    return [str(script)] if script.is_file() else [sys.executable, "-P", "-m", "hybridmem.cli"]
