"""A message to a program of the user's when a dream has ended: one POST of JSON to the URL in HYBRIDMEM_WEBHOOK.

It is signed as Standard Webhooks 1.0 says (https://www.standardwebhooks.com), where HYBRIDMEM_WEBHOOK_SECRET is set.
It says how the night went, in counts, and holds no word of a memory. Whether it arrives changes nothing for the dream.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
import time
from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import DreamReport, new_id

URL = "HYBRIDMEM_WEBHOOK"
SECRET = "HYBRIDMEM_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
PAUSES = (1.0, 5.0)
"""Seconds before each further try."""
WAIT = 10.0
"""Seconds for an answer."""
_PREFIX = "whsec_"


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would become a GET, to whoever the other place belongs to."""

    def redirect_request(self, *given: Any) -> None:
        return None


def announce(namespace: Namespace, at: datetime, ended: DreamReport | str, error: str = "") -> str | None:
    """Send word of a dream that has ended with a report, or without one as `failed` or `canceled`, if a URL is set.

    Returns why it could not be sent, in one line; None where it was, or where nobody wants it."""
    url = os.environ.get(URL)
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        return f"{URL} is no http:// or https:// URL: no word of the dream was sent"
    body = json.dumps(message(namespace, at, ended, error)).encode()
    request = Request(url, body, headers(body, new_id("msg"), int(at.timestamp())))  # noqa: S310
    opener = build_opener(ProxyHandler({}), _NoRedirect())
    reason = ""
    for pause in (*PAUSES, None):
        try:
            with opener.open(request, timeout=WAIT):
                return None
        except (URLError, HTTPException, OSError, ValueError) as error_:
            reason = str(error_)
        if pause is not None:
            time.sleep(pause)
    return f"no word of the dream could be sent to {URL}: {reason}"


def message(namespace: Namespace, at: datetime, ended: DreamReport | str, error: str = "") -> dict[str, Any]:
    """What is sent: a type, a time, and what the night did."""
    data: dict[str, Any] = {"namespace": "/".join(namespace)}
    if isinstance(ended, DreamReport):
        data |= {
            "dream": ended.id,
            "night": ended.night,
            "adapter": ended.adapter,
            "new_facts": ended.new_facts,
            "held_facts": ended.held_facts,
            "unlearned": len(ended.unlearned),
            "trained_tokens": ended.trained_tokens,
            "seconds": ended.seconds,
            "gate": [{"name": each.name, "value": each.value, "passed": each.passed} for each in ended.gate],
        }
    elif error:
        data["error"] = error
    status = ended.status if isinstance(ended, DreamReport) else ended
    return {"type": f"dream.{status}", "timestamp": at.isoformat(), "data": data}


def headers(body: bytes, id: str, timestamp: int, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The headers of a message, with its signature where there is a secret."""
    made = {"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": str(timestamp)}
    if secret := environ.get(SECRET):
        signed = hmac.new(_key(secret), f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        made["webhook-signature"] = f"v1,{base64.b64encode(signed).decode()}"
    return made


def _key(secret: str) -> bytes:
    """The bytes of a secret, which the standard writes as ``whsec_`` and base64; any other text is its own bytes."""
    if secret.startswith(_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
