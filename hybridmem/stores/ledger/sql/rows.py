"""Records to rows of the ledger's tables, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import (
    AdapterRecord,
    Audit,
    Check,
    DreamReport,
    Episode,
    Event,
    Fact,
    ReaderUsage,
    Step,
    TrainingItem,
    to_json,
)
from hybridmem.core.roles import stored_trust

Row = Mapping[Any, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(time: datetime) -> int:
    """An aware time as microseconds since 1970 in UTC: exact, and in order."""
    return (time - _EPOCH) // _MICROSECOND


def time_of(value: int) -> datetime:
    return _EPOCH + timedelta(microseconds=value)


def key(namespace: Namespace) -> str:
    """The namespace as the tables hold it; its parts have no slash."""
    return "/".join(namespace)


def namespace_of(key: str) -> Namespace:
    return tuple(key.split("/"))


def slot_digest(fact: Fact) -> str:
    return hashlib.sha256(json.dumps(fact.slot).encode()).hexdigest()


def _time_or_none(value: int | None) -> datetime | None:
    return None if value is None else time_of(value)


def _micros_or_none(value: datetime | None) -> int | None:
    return None if value is None else micros(value)


def episode_row(episode: Episode) -> dict[str, Any]:
    return {
        "id": episode.id,
        "namespace": key(episode.namespace),
        "position": episode.position,
        "text": episode.text,
        "role": episode.role,
        "speaker": episode.speaker,
        "session": episode.session,
        "at": micros(episode.at),
        "recorded_at": micros(episode.recorded_at),
        "source": episode.source,
        "trust": episode.trust,
        "quarantined": episode.quarantined,
        "superseded_by": episode.superseded_by,
        "metadata": json.dumps(episode.metadata),
        "expires_at": _micros_or_none(episode.expires_at),
    }


def episode_of(row: Row) -> Episode:
    return Episode(
        id=row["id"],
        namespace=namespace_of(row["namespace"]),
        text=row["text"],
        role=row["role"],
        speaker=row["speaker"],
        session=row["session"],
        at=time_of(row["at"]),
        recorded_at=time_of(row["recorded_at"]),
        source=row["source"],
        trust=stored_trust(row["trust"]),
        quarantined=row["quarantined"],
        superseded_by=row["superseded_by"],
        metadata=json.loads(row["metadata"]),
        position=row["position"],
        expires_at=_time_or_none(row["expires_at"]),
    )


def fact_row(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "namespace": key(fact.namespace),
        "position": fact.position,
        "slot": slot_digest(fact),
        "subject": fact.subject,
        "relation": fact.relation,
        "object": fact.object,
        "text": fact.text,
        "valid_from": micros(fact.valid_from),
        "valid_to": _micros_or_none(fact.valid_to),
        "recorded_at": micros(fact.recorded_at),
        "retired_at": _micros_or_none(fact.retired_at),
        "superseded_by": fact.superseded_by,
        "evidence": fact.evidence,
        "trust": fact.trust,
        "quarantined": fact.quarantined,
        "question": fact.question,
        "stated_to": _micros_or_none(fact.stated_to),
        "replaces": fact.replaces,
        "metadata": json.dumps(fact.metadata),
        "expires_at": _micros_or_none(fact.expires_at),
    }


def fact_of(row: Row, sources: Sequence[str]) -> Fact:
    return Fact(
        id=row["id"],
        namespace=namespace_of(row["namespace"]),
        subject=row["subject"],
        relation=row["relation"],
        object=row["object"],
        text=row["text"],
        valid_from=time_of(row["valid_from"]),
        valid_to=_time_or_none(row["valid_to"]),
        recorded_at=time_of(row["recorded_at"]),
        retired_at=_time_or_none(row["retired_at"]),
        superseded_by=row["superseded_by"],
        sources=tuple(sources),
        evidence=row["evidence"],
        trust=stored_trust(row["trust"]),
        quarantined=row["quarantined"],
        position=row["position"],
        question=row["question"],
        stated_to=_time_or_none(row["stated_to"]),
        replaces=row["replaces"],
        metadata=json.loads(row["metadata"]),
        expires_at=_time_or_none(row["expires_at"]),
    )


def event_row(namespace: Namespace, number: int, event: Event) -> dict[str, Any]:
    """`number`: its place in the history of its memory."""
    return {
        "memory": event.memory,
        "number": number,
        "namespace": key(namespace),
        "event": event.event,
        "at": micros(event.at),
        "text": event.text,
        "cause": event.by,
        "changes": json.dumps(event.changes) if event.changes else None,
    }


def event_of(row: Row) -> Event:
    changes = json.loads(row["changes"]) if row["changes"] else {}
    return Event(row["memory"], row["event"], time_of(row["at"]), row["text"], row["cause"], changes)


def item_row(item: TrainingItem, position: int) -> dict[str, Any]:
    return {
        "namespace": key(item.namespace),
        "id": item.id,
        "position": position,
        "fact": item.fact,
        "kind": item.kind,
        "question": item.question,
        "answer": item.answer,
        "context": json.dumps(item.context),
        "split": item.split,
    }


def item_of(row: Row) -> TrainingItem:
    return TrainingItem(
        id=row["id"],
        namespace=namespace_of(row["namespace"]),
        fact=row["fact"],
        kind=row["kind"],
        question=row["question"],
        answer=row["answer"],
        context=tuple(json.loads(row["context"])),
        split=row["split"],
    )


def adapter_row(adapter: AdapterRecord, position: int) -> dict[str, Any]:
    return {
        "namespace": key(adapter.namespace),
        "version": adapter.version,
        "position": position,
        "base": adapter.base,
        "base_sha256": adapter.base_sha256,
        "parent": adapter.parent,
        "status": adapter.status,
        "created_at": micros(adapter.created_at),
        "dream": adapter.dream,
        "scores": json.dumps(adapter.scores),
        "files": json.dumps(adapter.files),
    }


def adapter_of(row: Row, facts: Sequence[tuple[str, bool]]) -> AdapterRecord:
    """`facts`: the ids of those that it holds, in order, and whether each is tainted."""
    return AdapterRecord(
        version=row["version"],
        namespace=namespace_of(row["namespace"]),
        base=row["base"],
        base_sha256=row["base_sha256"],
        parent=row["parent"],
        status=row["status"],
        created_at=time_of(row["created_at"]),
        dream=row["dream"],
        facts=tuple(fact for fact, _ in facts),
        tainted=tuple(fact for fact, tainted in facts if tainted),
        scores=json.loads(row["scores"]),
        files=json.loads(row["files"]),
    )


def audit_row(namespace: Namespace, audit: Audit) -> dict[str, Any]:
    return {
        "namespace": key(namespace),
        "adapter": audit.adapter,
        "fact": audit.fact,
        "split": audit.split,
        "questions": audit.asked,
        "correct": audit.right,
    }


def audit_of(row: Row) -> Audit:
    return Audit(row["adapter"], row["fact"], row["split"], row["questions"], row["correct"])


def report_text(report: DreamReport) -> str:
    return json.dumps(to_json(report))


def report_of(text: str) -> DreamReport:
    values = json.loads(text)
    return DreamReport(
        **{
            **values,
            "namespace": tuple(values["namespace"]),
            "started_at": datetime.fromisoformat(values["started_at"]),
            "left_to_retrieval": tuple(values["left_to_retrieval"]),
            "unlearned": tuple(values["unlearned"]),
            "steps": tuple(Step(**{**step, "reader": _usage_of(step.get("reader"))}) for step in values["steps"]),
            "reader": _usage_of(values.get("reader")),
            "gate": tuple(Check(**check) for check in values["gate"]),
            "retention": tuple(values["retention"]),
        }
    )


def _usage_of(values: Mapping[str, Any] | None) -> ReaderUsage | None:
    return None if values is None else ReaderUsage(**values)
