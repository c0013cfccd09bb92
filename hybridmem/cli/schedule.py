"""``hybridmem schedule``: dreams by the clock, here or by the scheduler of the system."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hybridmem.cli import errors, output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.schedule_options import PlanOptions, PrintOptions, RunOptions
from hybridmem.core.clock import utc_now
from hybridmem.core.namespace import Namespace

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory
    from hybridmem.schedule.invocation import NightCommand
    from hybridmem.schedule.plan import SchedulePlan
    from hybridmem.schedule.status import Standing

app = typer.Typer()
PANEL = "Dream"


@command(app, panel=PANEL)
def schedule(
    call: Invocation,
    planned: PlanOptions,
    running: RunOptions,
    printed: PrintOptions,
    status: Annotated[bool, typer.Option("--status", help="Show the last and the next nights, and exit.")] = False,
) -> None:
    """Dream by the clock: every night runs once, even if schedulers are killed, restarted or started twice.

    Runs until Ctrl-C or SIGTERM, which stop a running dream; the next start resumes it. With --once, exits 1 if a gate
    refused or a dream failed."""
    with call.open(whole_folder=True) as memory:
        if status:
            _show_status(call, memory, planned.chosen(call, memory) if planned.namespaces else None)
            return
        plan = planned.plan(call, memory)
        if printed.form is not None:
            quiet = tuple(planned.quiet or ())
            night = _night_command(call, plan, quiet, running.log)
            _print_files(call, _unit_files(printed, night), printed.to)
            return
        began = utc_now()
        _run(memory, plan, running)
        if not _report(call, memory, plan, began):
            raise typer.Exit(errors.NO)


# ---- status


def _show_status(call: Invocation, memory: HybridMemory, namespaces: tuple[Namespace, ...] | None) -> None:
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


# ---- files for other schedulers


def _night_command(call: Invocation, plan: SchedulePlan, quiet: tuple[str, ...], log: Path | None) -> NightCommand:
    from hybridmem.schedule.invocation import NightCommand

    return NightCommand(
        plan=plan,
        memory=call.folder,
        model=call.model,
        embedder=call.embedder,
        vectors=call.vectors,
        reader=call.reader,
        quiet=quiet,
        log=log,
    )


def _unit_files(printed: PrintOptions, night: NightCommand) -> dict[str, str]:
    """The texts of the files that another scheduler wants, by name."""
    from hybridmem.schedule import crontab, kubernetes, systemd

    if printed.form == "systemd":
        return systemd.units(night)
    if printed.form == "crontab":
        return {"hybridmem.crontab": crontab.line(night)}
    return {"hybridmem-cronjob.yaml": kubernetes.manifest(night, printed.image, printed.claim)}


def _print_files(call: Invocation, files: Mapping[str, str], folder: Path | None) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        call.answer({"files": files}, output.plain("\n".join(f"wrote {folder / name}" for name in files)))
        return
    if call.as_json:
        call.answer({"files": files})
        return
    headed = [f"# {name}\n{text}" if len(files) > 1 else text for name, text in files.items()]
    typer.echo("\n".join(headed), nl=False)


# ---- running here


def _run(memory: HybridMemory, plan: SchedulePlan, running: RunOptions) -> None:
    """Run the schedule until it is stopped; with `once`, until no night is due."""
    from contextlib import ExitStack

    from hybridmem.jobs import DreamJobs
    from hybridmem.schedule import loop
    from hybridmem.schedule.log import ScheduleLog
    from hybridmem.schedule.scheduler import Scheduler

    console = output.console(stderr=True)
    log = ScheduleLog(
        utc_now, plan.cron.zone, running.log, lambda line: console.print(output.plain(line), soft_wrap=True)
    )
    jobs = DreamJobs(memory, at_once=plan.at_once)
    reach_back = plan.latest if running.once else timedelta(0)
    scheduler = Scheduler(memory, plan, jobs, utc_now, log, reach_back=reach_back)
    with ExitStack() as stack:
        if running.metrics is not None:
            from hybridmem.schedule.metrics_page import LOOPBACK, page

            port = stack.enter_context(page(memory, running.metrics, utc_now))
            log.write("metrics", None, f"metrics are at http://{LOOPBACK}:{port}/metrics")
        if running.once:
            loop.once(scheduler, log)
        else:
            loop.forever(scheduler, log)


def _report(call: Invocation, memory: HybridMemory, plan: SchedulePlan, began: datetime) -> bool:
    """Print the nights that ended since `began`; False if one of them failed, was refused or was missed."""
    from hybridmem.schedule.status import standings

    found = standings(memory, plan.namespaces or memory.ledger.namespaces(), utc_now())
    runs = [(standing.namespace, run) for standing in found for run in standing.runs if run.ended_at >= began]
    rows = [("/".join(name), run.fire, run.verdict, run.attempts, run.seconds, run.reason) for name, run in runs]
    columns = ["namespace", "due (UTC)", "verdict", "#attempts", "#seconds", "reason"]
    call.answer(
        {"nights": [{"namespace": name, "run": run} for name, run in runs]},
        output.table(columns, rows) if rows else output.plain("no nights yet"),
    )
    return all(run.verdict in ("promoted", "nothing", "canceled") for _, run in runs)
