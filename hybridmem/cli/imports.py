"""``hybridmem add --from``: what a file, zip or folder holds, once or as it grows."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation
from hybridmem.cli.progress import bars
from hybridmem.core.errors import InvalidInput
from hybridmem.core.text.plural import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from hybridmem.importers import BrokenLine, ImportReport

SHOWN = 20
"""Broken lines that are printed one by one."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What `--from` reads, and how."""

    format: Annotated[
        str,
        typer.Option(
            "--format", help="With --from, the format: auto (by content), or one of those in docs/importing.md."
        ),
    ] = "auto"
    me: Annotated[
        list[str] | None,
        typer.Option("--me", metavar="NAME", help="With --from, your name in a chat of people; may be repeated."),
    ] = None
    day_first: Annotated[
        bool | None,
        typer.Option(
            "--day-first/--month-first", help="With --from, how a chat writes its dates, where it leaves that open."
        ),
    ] = None
    timezone: Annotated[
        str | None,
        typer.Option(
            "--timezone",
            metavar="ZONE",
            help="With --from, where times without a zone were written (UTC; in Aider, WhatsApp and Telegram, here).",
        ),
    ] = None
    watch: Annotated[
        bool,
        typer.Option("--watch", help="With --from, go on reading as the file or folder grows, until Ctrl-C."),
    ] = False


def add_from(call: Invocation, path: Path, options: ImportOptions) -> None:
    """Import `path` once. Exits 0 when something went in or was there already, whatever else was broken."""
    with call.open(create=True) as memory, bars(quiet=call.as_json) as progress:
        report = memory.add_from(path, progress=progress, **_given(options))
    if not (report.added or report.updated or report.facts or report.already or report.erased):
        raise InvalidInput(
            f"nothing in {path} could be added{_why_nothing(report)}: mend the file, or name its --format"
        )
    call.answer(report, *_lines(report), output.plain(f"{_counted(report)} from {path}{_lost(report)}"))


def watch(call: Invocation, path: Path, options: ImportOptions) -> None:
    """Import `path` as it grows, until Ctrl-C or SIGTERM. With ``--json``, one object a look that brought something."""
    stop = threading.Event()
    with call.open(create=True) as memory, _stopped_by_signals(stop):
        for look, report in enumerate(memory.watch(path, stop=stop, **_given(options))):
            if report.added or report.updated or report.facts or report.broken:
                call.answer(report, *_lines(report), output.plain(f"{_counted(report)} from {path}{_lost(report)}"))
            if look == 0 and not call.as_json:
                output.console(stderr=True).print(output.plain(f"watching {path}: Ctrl-C ends it", "dim"))


def _given(options: ImportOptions) -> dict[str, Any]:
    return {
        "format": options.format,
        "me": options.me or [],
        "day_first": options.day_first,
        "timezone": options.timezone,
    }


@contextmanager
def _stopped_by_signals(stop: threading.Event) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM set `stop`, so that what is being stored is stored whole; a second one interrupts."""

    def handle(number: int, frame: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _counted(report: ImportReport) -> str:
    counts = {
        "updated": len(report.updated),
        "already there": report.already,
        "erased before and left away": report.erased,
    }
    facts = f" and {counted(len(report.facts), 'fact')}" if report.facts else ""
    others = "".join(f", {number:,} {what}" for what, number in counts.items() if number)
    return f"added {counted(len(report.added), 'memory', 'memories')}{facts}{others}"


def _lost(report: ImportReport) -> str:
    return f", {counted(len(report.broken), 'broken line')} left out" if report.broken else ""


def _lines(report: ImportReport) -> list[RenderableType]:
    """The broken lines by place, what was left out by reason, and the notes."""
    broken = [output.plain(f"{_place(each)}: {each.reason}", "yellow") for each in report.broken[:SHOWN]]
    if len(report.broken) > SHOWN:
        broken.append(output.plain(f"... and {len(report.broken) - SHOWN:,} more: --json names them all", "yellow"))
    left = [output.plain(f"left out: {number:,} {reason}", "dim") for reason, number in report.left_out.items()]
    return [*broken, *left, *(output.plain(note, "yellow") for note in report.notes)]


def _place(broken: BrokenLine) -> str:
    line = f"line {broken.number}" if broken.number else ""
    return ", ".join(part for part in (broken.file, line) if part) or "import"


def _why_nothing(report: ImportReport) -> str:
    if report.broken:
        first = report.broken[0]
        return f", {_place(first)}: {first.reason}"
    if report.left_out:
        return f" ({', '.join(f'{number:,} {reason}' for reason, number in report.left_out.items())} left out)"
    return ""
