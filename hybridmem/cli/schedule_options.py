"""The options of ``hybridmem schedule``, in groups: what is scheduled, how it runs here, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.version import VERSION

if TYPE_CHECKING:
    from hybridmem.cli.invocation import Invocation
    from hybridmem.memory import HybridMemory
    from hybridmem.schedule.cron import Cron
    from hybridmem.schedule.plan import SchedulePlan

MOST_AT_ONCE = 64
Form = Literal["systemd", "crontab", "kubernetes"]
"""The schedulers that `--print` writes files for."""


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Which nights are dreamt, for whom, and within which bounds."""

    cron: Annotated[
        str | None, typer.Option("--cron", metavar="EXPRESSION", help='When: five fields, as in "0 3 * * *".')
    ] = None
    nightly: Annotated[
        str | None, typer.Option("--nightly", metavar="HH:MM", help="When: every night at this time.")
    ] = None
    zone: Annotated[
        str | None,
        typer.Option("--zone", metavar="NAME", help="Time zone, as in Europe/Lisbon (default: this machine's)."),
    ] = None
    namespaces: Annotated[
        list[str] | None, typer.Option("--for", metavar="NAME", help="A namespace; may be repeated.")
    ] = None
    everyone: Annotated[bool, typer.Option("--all", help="All namespaces, future ones included.")] = False
    quiet: Annotated[list[str] | None, typer.Option("--quiet", metavar="HH:MM-HH:MM", help="No dream starts then.")] = (
        None
    )
    catch_up: Annotated[
        str, typer.Option("--catch-up", metavar="LENGTH", help="How late a missed night may begin; 0 for not at all.")
    ] = "12h"
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", help="A longer dream is stopped, and the next one resumes it.")
    ] = None
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="A dream that would train on more tokens does not start.")
    ] = None
    max_memory: Annotated[
        float | None, typer.Option("--max-memory", metavar="GB", help="A dream that uses more memory is stopped.")
    ] = None
    retries: Annotated[
        int, typer.Option("--retries", help="Further attempts after a failure; a gate's refusal is no failure.")
    ] = 3
    at_once: Annotated[int, typer.Option("--at-once", help="Namespaces that dream at the same time.")] = 1
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME", help="A recipe's name, or the path of a .toml file.")
    ] = "default"

    def plan(self, call: Invocation, memory: HybridMemory) -> SchedulePlan:
        """The plan that the options ask for. Raises `InvalidInput`."""
        from hybridmem.dreaming import recipes
        from hybridmem.jobs import Budget
        from hybridmem.schedule.cron import local_zone
        from hybridmem.schedule.durations import duration
        from hybridmem.schedule.plan import SchedulePlan
        from hybridmem.schedule.quiet import QuietHours
        from hybridmem.schedule.retries import Retries

        if (self.cron is None) == (self.nightly is None):
            raise InvalidInput('say when, in one way: --nightly 03:00, or --cron "0 3 * * *"')
        if not 1 <= self.at_once <= MOST_AT_ONCE:
            raise InvalidInput(
                f"--at-once {self.at_once} is not between 1 and {MOST_AT_ONCE}: give how many may be dreamt at a time"
            )
        zone = self.zone or local_zone()
        plan = SchedulePlan(
            cron=self._cron(zone),
            namespaces=self.chosen(call, memory),
            quiet=QuietHours.parse(self.quiet or [], zone),
            catch_up=duration(self.catch_up),
            budget=Budget(self.max_seconds, self.max_tokens, self.max_memory),
            retries=Retries(self.retries),
            recipe=self.recipe,
            at_once=self.at_once,
        )
        plan.check(utc_now())
        recipes.load(self.recipe)
        return plan

    def chosen(self, call: Invocation, memory: HybridMemory) -> tuple[Namespace, ...] | None:
        """The namespaces that were asked for; None for all. Raises `InvalidInput` for one that is not there."""
        if self.everyone:
            if self.namespaces:
                raise InvalidInput("--all and --for exclude each other: name some, or take all")
            return None
        named = [checked_namespace(name) for name in self.namespaces or ()] or [call.namespace]
        there = set(memory.ledger.namespaces())
        for namespace in named:
            if namespace not in there:
                raise InvalidInput(
                    f"nothing is in the namespace {'/'.join(namespace)} of {call.folder}: add something first, or name "
                    f"another one with --namespace or --for"
                )
        return tuple(dict.fromkeys(named))

    def _cron(self, zone: str) -> Cron:
        from hybridmem.schedule.cron import Cron

        return Cron.parse(self.cron, zone) if self.cron is not None else Cron.nightly(self.nightly or "", zone)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a schedule runs in this process."""

    log: Annotated[Path | None, typer.Option("--log", metavar="FILE", help="Append events as JSON lines.")] = None
    metrics: Annotated[
        int | None, typer.Option("--metrics", metavar="PORT", help="Serve Prometheus metrics on loopback.")
    ] = None
    once: Annotated[bool, typer.Option("--once", help="Dream what is due, then exit.")] = False


@dataclass(frozen=True, slots=True)
class PrintOptions:
    """What is printed in place of running."""

    form: Annotated[
        Form | None, typer.Option("--print", help="Print the schedule for another scheduler, and exit.")
    ] = None
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write what --print prints there.")] = None
    image: Annotated[
        str, typer.Option("--image", metavar="NAME", help="The container image for --print kubernetes.")
    ] = f"hybridmem:{VERSION}"
    claim: Annotated[str, typer.Option("--claim", metavar="NAME", help="The volume claim for --print kubernetes.")] = (
        "hybridmem-memory"
    )
