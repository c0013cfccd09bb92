"""What was remembered before: the same file imported again, the same message sent again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import islice

from hybridmem.core.records import Episode, sound_text
from hybridmem.core.roles import role_of
from hybridmem.importers import ImportedTurn
from hybridmem.workspace import Workspace

MESSAGE_ID = "id"
"""The entry of an episode's metadata with the id that its chat gave the message."""


def without_known(workspace: Workspace, turns: Iterable[ImportedTurn], at_once: int) -> Iterator[ImportedTurn]:
    """`turns` but for those that were in the memory before the first of them was read.

    The same are two turns of one session with the same role, speaker, words and time, or with the same words of a
    message with an id. A turn without a time is compared with those that had none when they were imported. What a file
    says twice is remembered twice, and twice again is what is known of it."""
    ledger, namespace = workspace.ledger, workspace.namespace
    last = ledger.newest([namespace], limit=1)
    if not last:
        yield from turns
        return
    known: Counter[Hashable] = Counter()
    counted: set[str] = set()
    reading = iter(turns)
    while batch := list(islice(reading, at_once)):
        texts = [text for turn in batch if (text := sound_text(turn.text)) not in counted]
        counted.update(texts)
        for episode in ledger.said(namespace, texts, up_to=last[0].position):
            known[_of_episode(episode)] += 1
        for turn in batch:
            same = _of_turn(turn)
            if known[same]:
                known[same] -= 1
            else:
                yield turn


def known_messages(workspace: Workspace, episodes: Sequence[Episode]) -> dict[str, Episode]:
    """Those of `episodes`, which are to be added, that have a message id and are in the memory already: by the new id
    of each, the episode that is there. Where none has one, nothing is looked for."""
    sent = {_of_episode(episode): episode for episode in episodes if MESSAGE_ID in episode.metadata}
    if not sent:
        return {}
    there = workspace.ledger.said(workspace.namespace, [sound_text(episode.text) for episode in sent.values()])
    by_message = {_of_episode(episode): episode for episode in there if MESSAGE_ID in episode.metadata}
    return {
        episode.id: by_message[same]
        for episode in episodes
        if MESSAGE_ID in episode.metadata and (same := _of_episode(episode)) in by_message
    }


def _of_turn(turn: ImportedTurn) -> Hashable:
    when = None if MESSAGE_ID in turn.metadata else turn.at
    return _same(turn.session, role_of(turn.role), turn.speaker, turn.text, when, turn.metadata.get(MESSAGE_ID))


def _of_episode(episode: Episode) -> Hashable:
    # What was said when it was recorded came without a time.
    dated = episode.at if episode.at != episode.recorded_at and MESSAGE_ID not in episode.metadata else None
    return _same(episode.session, episode.role, episode.speaker, episode.text, dated, episode.metadata.get(MESSAGE_ID))


def _same(session: str | None, role: str, speaker: str | None, text: str, at: object, id: object) -> Hashable:
    names = [sound_text(name) if name is not None else None for name in (session, role, speaker, text)]
    return (*names, at, str(id) if id is not None else None)
