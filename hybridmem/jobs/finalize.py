"""The end of a job whose process is gone or stops: the ledger shows whether its dream left a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hybridmem.core.records import DreamReport
from hybridmem.jobs.record import JobFiles, JobRecord
from hybridmem.stores.ledger.lineage import Lineage

BEAT_SECONDS = 0.5
"""How often a dream's process records that it lives, and checks whether to stop."""
_LATEST = timedelta(seconds=4 * BEAT_SECONDS)


def finalized(record: JobRecord, files: JobFiles, ledger: Lineage, now: datetime) -> JobRecord:
    """`record` with its end: completed if the dream left a report, canceled if that was asked for or a budget ran out,
    failed otherwise. Writes nothing."""
    report = report_of(record, ledger)
    ended = record.beat_at or now
    if report is not None:
        return replace(record, status="completed", dream=report.id, ended_at=ended, stopping=None)
    if record.stopping is not None or files.asked_to_stop(record.id):
        return replace(record, status="canceled", error=record.stopping, ended_at=ended)
    return replace(record, status="failed", error=_last_words(record, files), ended_at=ended)


def report_of(record: JobRecord, ledger: Lineage) -> DreamReport | None:
    """The report of the job's own dream. No other dream of the namespace runs beside a job, so a report that began in
    the job's time is its own; a later dream that resumed this one began later."""
    if record.started_at is None:
        return None
    until = (record.beat_at or record.started_at) + _LATEST
    found = [r for r in ledger.dreams(record.namespace) if record.started_at <= r.started_at <= until]
    return found[-1] if found else None


def _last_words(record: JobRecord, files: JobFiles) -> str:
    when = "in the middle of its dream" if record.started_at else "before its dream began"
    try:
        written = files.log(record.id).read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        written = []
    last = next((line.strip() for line in reversed(written) if line.strip()), "")
    said = f", with the words: {last:.300}" if last else ""
    return f"its process ended {when}{said}: nothing was promoted, start a new dream to resume it"
