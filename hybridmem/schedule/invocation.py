"""The command line that other schedulers are to run: the same schedule and memory, for one night."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem.schedule.durations import written
from hybridmem.schedule.plan import SchedulePlan


@dataclass(frozen=True, slots=True)
class NightCommand:
    """What makes one night of `plan` on a memory, as arguments of ``hybridmem``."""

    plan: SchedulePlan
    memory: Path
    model: str | None = None
    embedder: str | None = None
    quiet: tuple[str, ...] = ()
    """As they were written."""
    log: Path | None = None

    def arguments(self, memory: Path | None = None) -> list[str]:
        """All but the program. `memory` is where the folder is in a container, which has none of this machine's other
        files: there is no log but what the container prints."""
        plan = self.plan
        made = ["--memory", str(memory or self.memory.absolute())]
        if plan.namespaces is not None and len(plan.namespaces) == 1:
            made += ["--namespace", "/".join(plan.namespaces[0])]
        if self.model is not None:
            made += ["--model", self.model]
        if self.embedder is not None:
            made += ["--embedder", self.embedder]
        made += ["schedule", "--once", "--cron", plan.cron.text, "--zone", plan.cron.zone]
        if plan.namespaces is None:
            made.append("--all")
        elif len(plan.namespaces) > 1:
            made += [part for namespace in plan.namespaces for part in ("--for", "/".join(namespace))]
        made += ["--catch-up", written(plan.catch_up)]
        made += [part for window in self.quiet for part in ("--quiet", window)]
        bounds = (("seconds", plan.budget.seconds), ("tokens", plan.budget.tokens), ("memory", plan.budget.memory_gb))
        for name, bound in bounds:
            made += [f"--max-{name}", f"{bound:.15g}"] if bound is not None else []
        made += ["--retries", str(plan.retries.most), "--at-once", str(plan.at_once)]
        if plan.recipe != "default":
            made += ["--recipe", str(Path(plan.recipe).absolute()) if plan.recipe.endswith(".toml") else plan.recipe]
        if self.log is not None and memory is None:
            made += ["--log", str(self.log.absolute())]
        return made


def program() -> Sequence[str]:
    """How ``hybridmem`` is started here, whatever the PATH of the one who starts it."""
    script = Path(sys.executable).with_name("hybridmem")
    return [str(script)] if script.is_file() else [sys.executable, "-m", "hybridmem.cli"]
