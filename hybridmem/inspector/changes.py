"""Changes to one memory: new words, quarantine and release, deletion with its receipt."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from hybridmem.inspector.site import Fields, Visit


def update(visit: Visit, fields: Fields) -> Response:
    # Browsers end every line of a text field with a carriage return and a line feed.
    visit.memory.update(fields.get("id", ""), fields.get("text", "").replace("\r\n", "\n"))
    return _back(visit, fields, "updated")


def quarantine(visit: Visit, fields: Fields) -> Response:
    visit.memory.quarantine(fields.get("id", ""))
    return _back(visit, fields, "quarantined")


def release(visit: Visit, fields: Fields) -> Response:
    visit.memory.release(fields.get("id", ""))
    return _back(visit, fields, "released")


def asked_to_delete(visit: Visit) -> Response:
    """Show what a deletion would remove, before it happens."""
    memory, id = visit.memory, visit.asked("id")
    record = memory.get(id)
    trace = memory.why(id)
    alone = [fact for fact in trace["facts"] if fact["sources"] == [id]]
    return visit.page("delete", title="Delete", record=record, alone=alone, holders=trace["adapters"])


def delete(visit: Visit, fields: Fields) -> Response:
    receipt = visit.memory.delete(fields.get("id", ""))
    return visit.page("receipt", title="Deleted", receipt=receipt)


def _back(visit: Visit, fields: Fields, done: str) -> Response:
    return RedirectResponse(visit.link("/memory", id=fields.get("id", ""), done=done), status_code=303)
