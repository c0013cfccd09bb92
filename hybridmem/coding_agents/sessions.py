"""What the hooks know of an agent's sessions, one small file each in the memory folder: how far its log was read, and
which memories it was given, from where skills are to be learned. It holds no words."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hybridmem.coding_agents.opt_out import opted_out
from hybridmem.core.disk import write_whole
from hybridmem.core.folder import MemoryFolder

MOST_TAKEN = 5_000
"""Requests of one session that are not learned from twice."""
KEPT_DAYS = 30
"""Sessions that nothing was heard of for longer are forgotten."""
STILL = 1800.0
"""Seconds after which a session that writes nothing counts as over."""
MOST_GIVEN = 500
"""Memories that are not given twice."""


@dataclass(frozen=True, slots=True)
class Session:
    """One session of one agent."""

    agent: str
    id: str
    namespace: tuple[str, ...]
    transcript: str | None = None
    """The agent's own log of it."""
    size: int = 0
    """Bytes of the log when it was last read."""
    cwd: str = "."
    """The folder that it was in when it was last heard of."""
    given: tuple[str, ...] = ()
    """Ids of the memories that stand in the agent's context."""
    ended: bool = False
    """Whether the agent said last that it is over."""
    skills: bool = True
    """Whether skills are learned from its calls."""
    learned: int = 0
    """Bytes of its log, or of its trace, when skills were last learned from it."""
    taken: tuple[str, ...] = ()
    """Ids of the requests from whose calls they were learned: a skill that was deleted does not come back."""

    def heard_of(self, cwd: Path, *, ended: bool, skills: bool) -> Session:
        """As the newest event has it."""
        return replace(self, cwd=str(cwd), ended=ended, skills=skills)

    def with_given(self, ids: tuple[str, ...]) -> Session:
        """With these memories in its context, too."""
        return replace(self, given=(*self.given, *ids)[-MOST_GIVEN:])

    def anew(self) -> Session:
        """With nothing in its context."""
        return replace(self, given=())

    @property
    def has_more(self) -> bool:
        """Whether its log has changed since it was read."""
        if self.transcript is None:
            return False
        log = Path(self.transcript)
        return log.is_file() and log.stat().st_size != self.size


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of one memory folder."""

    folder: MemoryFolder

    def get(self, agent: str, id: str, namespace: tuple[str, ...]) -> Session:
        """The session as it is known; a new one where it is not."""
        return _read(self._file(agent, id)) or Session(agent, id, namespace)

    def put(self, session: Session) -> None:
        """Keep what is known of the session."""
        file = self._file(session.agent, session.id)
        file.parent.mkdir(exist_ok=True)
        # Two hooks of one session at once: one of them is kept, and a log is read once more at the most.
        with suppress(FileNotFoundError):
            write_whole(file, json.dumps(asdict(session)))

    def unfinished(self, agent: str) -> Iterator[Session]:
        """The agent's sessions whose log goes on behind what was read, the newest first; old ones are forgotten."""
        files = sorted(self.folder.sessions.glob("*.json"), key=_changed, reverse=True)
        for file in files:
            if time.time() - _changed(file) > KEPT_DAYS * 86_400:
                file.unlink(missing_ok=True)
                file.with_suffix(".trace").unlink(missing_ok=True)
            elif (session := _read(file)) is not None and session.agent == agent and session.has_more:
                yield session

    def trace(self, agent: str, id: str) -> Path:
        """Where the calls of a session without a log are noted; there once the session is known and has called."""
        return self._file(agent, id).with_suffix(".trace")

    def over(self) -> Iterator[tuple[Session, Path]]:
        """The sessions that are over and have something to learn from, each with its log or its trace."""
        for file in self.folder.sessions.glob("*.json"):
            session = _read(file)
            if session is None or not session.skills or opted_out(Path(session.cwd), {}):
                continue
            source = Path(session.transcript) if session.transcript else self.trace(session.agent, session.id)
            still = session.ended or time.time() - _changed(source) > STILL
            if still and source.is_file() and source.stat().st_size != session.learned:
                yield session, source

    def learned(self, session: Session, size: int, requests: tuple[str, ...]) -> None:
        """Note that skills were learned from the session up to `size` bytes, and from which requests; its trace has
        done its service."""
        now = self.get(session.agent, session.id, session.namespace)  # a hook may have written meanwhile
        self.put(replace(now, learned=size if now.transcript else 0, taken=(*now.taken, *requests)[-MOST_TAKEN:]))
        if not now.transcript:
            self.trace(session.agent, session.id).unlink(missing_ok=True)

    def _file(self, agent: str, id: str) -> Path:
        return self.folder.sessions / f"{hashlib.sha256(f'{agent}/{id}'.encode()).hexdigest()[:32]}.json"


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _read(file: Path) -> Session | None:
    """The session in the file; None for one that is not there, or is damaged: its log is read once more then."""
    try:
        found: Mapping[str, object] = json.loads(file.read_text("utf-8"))
        made = Session(**found)  # type: ignore[arg-type]
        return replace(made, namespace=tuple(made.namespace), given=tuple(made.given), taken=tuple(made.taken))
    except (OSError, ValueError, TypeError):
        return None
