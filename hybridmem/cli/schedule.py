"""``hybridmem schedule``: dreams by the clock, here or by the scheduler of the system."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.core.clock import utc_now
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.version import VERSION

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory
    from hybridmem.schedule.invocation import NightCommand
    from hybridmem.schedule.plan import SchedulePlan
    from hybridmem.schedule.status import Standing

app = typer.Typer()
PANEL = "Dream"
Form = Literal["systemd", "crontab", "kubernetes"]


@command(app, panel=PANEL)
def schedule(
    call: Invocation,
    cron: Annotated[
        str | None, typer.Option("--cron", metavar="EXPRESSION", help='When: five fields, as in "0 3 * * *".')
    ] = None,
    nightly: Annotated[str | None, typer.Option("--nightly", metavar="HH:MM", help="When: every night at.")] = None,
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="NAME", help="Time zone, as in Europe/Lisbon (this machine's).")
    ] = None,
    namespaces: Annotated[
        list[str] | None, typer.Option("--for", metavar="NAME", help="A namespace, several times for several.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All namespaces, those to come included.")] = False,
    quiet: Annotated[
        list[str] | None, typer.Option("--quiet", metavar="HH:MM-HH:MM", help="No dream starts then.")
    ] = None,
    catch_up: Annotated[
        str, typer.Option("--catch-up", metavar="LENGTH", help="How late a missed night may begin; 0 for not at all.")
    ] = "12h",
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", help="A dream that takes longer is stopped, and resumed next.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", help="A dream that would train more is not begun.")
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option("--max-memory", metavar="GB", help="A dream that takes more is stopped.")
    ] = None,
    retries: Annotated[int, typer.Option("--retries", help="Further attempts after a failure; a refusal is none.")] = 3,
    at_once: Annotated[int, typer.Option("--at-once", help="Namespaces dreamt at the same time.")] = 1,
    recipe: Annotated[
        str, typer.Option("--recipe", metavar="NAME", help="A recipe's name, or the path of a .toml file.")
    ] = "default",
    log: Annotated[
        Path | None, typer.Option("--log", metavar="FILE", help="Append what happens as JSON lines.")
    ] = None,
    metrics: Annotated[
        int | None, typer.Option("--metrics", metavar="PORT", help="Serve Prometheus metrics on loopback.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Dream what is due, then exit.")] = False,
    form: Annotated[
        Form | None, typer.Option("--print", help="Print the schedule for another scheduler, and exit.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", metavar="DIR", help="Write what --print prints there.")] = None,
    image: Annotated[
        str, typer.Option("--image", metavar="NAME", help="The container image for --print kubernetes.")
    ] = f"hybridmem:{VERSION}",
    claim: Annotated[
        str, typer.Option("--claim", metavar="NAME", help="The volume claim for --print kubernetes.")
    ] = "hybridmem-memory",
    status: Annotated[bool, typer.Option("--status", help="Show the last and the next nights, and exit.")] = False,
) -> None:
    """Dream by the clock: every night is dreamt once, whoever is killed, restarted or started twice.

    Runs until Ctrl-C or SIGTERM, which stop a running dream such that the next start resumes it. With --once, exits 1
    when a gate refused or a dream failed."""
    with call.open() as memory:
        if status:
            _show(call, memory, _chosen(call, memory, namespaces, everyone) if namespaces else None)
            return
        from hybridmem.jobs import Budget
        from hybridmem.schedule.cron import Cron, local_zone
        from hybridmem.schedule.durations import duration
        from hybridmem.schedule.invocation import NightCommand
        from hybridmem.schedule.plan import SchedulePlan
        from hybridmem.schedule.quiet import QuietHours
        from hybridmem.schedule.retries import Retries

        if (cron is None) == (nightly is None):
            raise InvalidInput('say when, in one way: --nightly 03:00, or --cron "0 3 * * *"')
        if not 1 <= at_once <= 64:
            raise InvalidInput(f"--at-once {at_once} is not between 1 and 64: give how many may be dreamt at a time")
        where = zone or local_zone()
        plan = SchedulePlan(
            cron=Cron.parse(cron, where) if cron is not None else Cron.nightly(nightly or "", where),
            namespaces=_chosen(call, memory, namespaces, everyone),
            quiet=QuietHours.parse(quiet or [], where),
            catch_up=duration(catch_up),
            budget=Budget(max_seconds, max_tokens, max_memory),
            retries=Retries(retries),
            recipe=recipe,
            at_once=at_once,
        )
        plan.check(utc_now())
        _check_recipe(recipe)
        if form is not None:
            told = NightCommand(
                plan=plan,
                memory=call.folder,
                model=call.model,
                embedder=call.embedder,
                quiet=tuple(quiet or ()),
                log=log,
            )
            _print(call, _files(form, told, image, claim), to)
            return
        if not _run(call, memory, plan, log, metrics, once=once):
            raise typer.Exit(errors.NO)


def _chosen(
    call: Invocation, memory: HybridMemory, names: list[str] | None, everyone: bool
) -> tuple[Namespace, ...] | None:
    """The namespaces that were asked for; None for all. Raises `InvalidInput` for one that is not there."""
    if everyone:
        if names:
            raise InvalidInput("--all and --for exclude each other: name some, or take all")
        return None
    chosen = tuple(dict.fromkeys(checked_namespace(name) for name in names)) if names else (call.namespace,)
    there = set(memory.ledger.namespaces())
    for namespace in chosen:
        if namespace not in there:
            raise InvalidInput(
                f"nothing is in the namespace {'/'.join(namespace)} of {call.folder}: add something first, or name "
                f"another one with --namespace or --for"
            )
    return chosen


def _check_recipe(recipe: str) -> None:
    from hybridmem.dreaming import recipes

    recipes.load(recipe)


def _run(
    call: Invocation, memory: HybridMemory, plan: SchedulePlan, file: Path | None, port: int | None, *, once: bool
) -> bool:
    """Run the schedule; False when a night of it came to no good end."""
    from contextlib import ExitStack

    from hybridmem.jobs import DreamJobs
    from hybridmem.schedule import loop
    from hybridmem.schedule.log import ScheduleLog
    from hybridmem.schedule.scheduler import Scheduler

    console = output.console(stderr=True)
    log = ScheduleLog(utc_now, plan.cron.zone, file, lambda line: console.print(output.plain(line), soft_wrap=True))
    jobs = DreamJobs(memory, at_once=plan.at_once)
    scheduler = Scheduler(memory, plan, jobs, utc_now, log, reach_back=plan.latest if once else timedelta(0))
    began = utc_now()
    with ExitStack() as stack:
        if port is not None:
            from hybridmem.schedule.metrics_page import LOOPBACK, page

            taken = stack.enter_context(page(memory, port, utc_now))
            log.tell("metrics", None, f"metrics are at http://{LOOPBACK}:{taken}/metrics")
        if once:
            loop.once(scheduler, log)
        else:
            loop.forever(scheduler, log)
    return _report(call, memory, plan, began)


def _report(call: Invocation, memory: HybridMemory, plan: SchedulePlan, began: datetime) -> bool:
    from hybridmem.schedule.status import standings

    found = standings(memory, plan.namespaces or memory.ledger.namespaces(), utc_now())
    runs = [(standing.namespace, run) for standing in found for run in standing.runs if run.ended_at >= began]
    rows = [("/".join(name), run.fire, run.verdict, run.attempts, run.seconds, run.reason) for name, run in runs]
    columns = ["namespace", "due (UTC)", "verdict", "#attempts", "#seconds", "reason"]
    call.answer(
        {"nights": [{"namespace": name, "run": run} for name, run in runs]},
        output.table(columns, rows) if rows else output.plain("no night was dreamt"),
    )
    return all(run.verdict in ("promoted", "nothing", "canceled") for _, run in runs)


def _show(call: Invocation, memory: HybridMemory, namespaces: tuple[Namespace, ...] | None) -> None:
    from hybridmem.schedule.status import standings

    found = standings(memory, namespaces or memory.ledger.namespaces(), utc_now())
    columns = ["namespace", "schedule", "zone", "state", "last (UTC)", "verdict", "#seconds", "next (UTC)", "reason"]
    call.answer(
        {"schedules": found},
        output.table(columns, map(_row, found)) if found else output.plain("no schedule has run here yet"),
    )


def _row(standing: Standing) -> tuple[object, ...]:
    last = standing.last
    return (
        "/".join(standing.namespace),
        standing.cron,
        standing.zone,
        standing.state,
        last.fire if last else None,
        last.verdict if last else None,
        last.seconds if last else None,
        standing.next,
        last.reason if last else "",
    )


def _files(form: Form, told: NightCommand, image: str, claim: str) -> dict[str, str]:
    from hybridmem.schedule import crontab, kubernetes, systemd

    if form == "systemd":
        return systemd.units(told)
    if form == "crontab":
        return {"hybridmem.crontab": crontab.line(told)}
    return {"hybridmem-cronjob.yaml": kubernetes.manifest(told, image, claim)}


def _print(call: Invocation, files: dict[str, str], to: Path | None) -> None:
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (to / name).write_text(text, encoding="utf-8")
        call.answer({"files": files}, output.plain("\n".join(f"wrote {to / name}" for name in files)))
        return
    if call.as_json:
        call.answer({"files": files})
        return
    headed = [f"# {name}\n{text}" if len(files) > 1 else text for name, text in files.items()]
    typer.echo("\n".join(headed), nl=False)
