"""The session behind a conversation whose client sends all of it with every turn: only what is new is read."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

from hybridmem.running.chunks import SessionMessage
from hybridmem.running.session import Session
from hybridmem.running.settings import SessionSettings
from hybridmem.workspace import Workspace

KEPT = 4
"""Conversations whose state a process keeps; the one that was not continued for longest goes first."""
SETTINGS = SessionSettings(max_bytes=128 * 2**20)
_PREFIX = "history:"
_turn = threading.Lock()


def history_session(workspace: Workspace, messages: Sequence[SessionMessage]) -> Session:
    """A session that has read `messages`, of which there is one at least, and nothing else: where this process has it,
    the one that read the beginning of them."""
    first = hashlib.sha256(messages[0].line.encode()).hexdigest()
    key = workspace.namespace, f"{_PREFIX}{first[:16]}"
    sessions = workspace.resources.sessions
    # Of two turns of one conversation, the later one must not read what the earlier one is reading.
    with _turn:
        found = sessions.pop(key, None)
        session = found if isinstance(found, Session) else Session(workspace, key[1], SETTINGS)
        read = [message.line for message in session.messages]
        if read != [message.line for message in messages[: len(read)]]:
            # Edited since. Whoever still asks the other one keeps it until then.
            session, read = Session(workspace, key[1], SETTINGS), []
        sessions[key] = session
        for other in [each for each in sessions if each[1].startswith(_PREFIX)][:-KEPT]:
            del sessions[other]
        session.read(messages[len(read) :])
    return session
