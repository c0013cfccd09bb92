"""Messages that were remembered before and are sent again, as they were or edited since.

A message is known by the id that its chat gave it. Its new words take the place of the old ones, which stay in the
memory's history; what a person corrected in the memory stays, until the message itself is edited.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, new_id, sound_text
from hybridmem.importers.identity import DIGEST, message_id, text_mark
from hybridmem.workspace import Workspace

MESSAGE_ID = "id"
"""The entry of an episode's metadata with the id that its chat gave the message."""
TRIES = 3
"""How often messages are stored anew where another process stored some of them in between."""


def remember(workspace: Workspace, episodes: Sequence[Episode], keys: Mapping[str, str]) -> list[Episode]:
    """Store `episodes`, and return them as they are in the memory: one whose message is there already is that one.

    `keys`: by the id of an episode, what tells its message from all others of its source. Raises `InvalidInput`."""
    for attempt in range(1, TRIES + 1):
        known = _known(workspace, episodes, keys)
        edited = {
            id: reworded(workspace, there, episode.text)
            for episode in episodes
            if (there := known.get(id := episode.id)) is not None and is_edited(workspace, there, episode.text)
        }
        named = _named(workspace, [each for each in episodes if each.id not in known], keys)
        try:
            stored = {
                each.id: each
                for each in workspace.ledger.append(list({each.id: each for each in named.values()}.values()))
            }
        except InvalidInput:
            if attempt == TRIES or not keys:
                raise
            continue
        break
    found = known | edited
    return [found[each.id] if each.id in found else stored[named[each.id].id] for each in episodes]


def is_edited(workspace: Workspace, memory: Episode, text: str) -> bool:
    """Whether the message of `memory`, which is now `text`, has other words than when it was last seen."""
    kept = memory.metadata.get(DIGEST)
    if kept is not None:
        return kept not in (text_mark(text), text_mark(text)[1:])
    said = {memory.text, *(event.text for event in workspace.ledger.history(workspace.namespace, memory.id))}
    if sound_text(text) in said:
        return False
    from hybridmem.redaction import redact

    return redact(sound_text(text)) not in said


def reworded(workspace: Workspace, memory: Episode, text: str) -> Episode:
    """`memory` with the words that its message has now."""
    updated = workspace.ledger.update_text(workspace.namespace, memory.id, text, workspace.clock())
    if not isinstance(updated, Episode):
        return memory
    if DIGEST in memory.metadata:
        updated = replace(updated, metadata={**updated.metadata, DIGEST: text_mark(text)})
        workspace.ledger.annotate([updated])
    return updated


def _known(workspace: Workspace, episodes: Sequence[Episode], keys: Mapping[str, str]) -> dict[str, Episode]:
    """By the new id of each of `episodes` that is in the memory: the episode that is there."""
    wanted = {each.id: message_id(each.namespace, each.source, keys[each.id]) for each in episodes if each.id in keys}
    there = workspace.ledger.get_many(workspace.namespace, list(dict.fromkeys(wanted.values()))) if wanted else {}
    texts: dict[str, set[str]] = {}
    for episode in episodes:
        if episode.id in wanted:
            texts.setdefault(wanted[episode.id], set()).add(episode.text)
    known: dict[str, Episode] = {}
    for episode in episodes:
        memory = there.get(id := wanted.get(episode.id, ""))
        if not isinstance(memory, Episode) or _said_by(memory) != _said_by(episode):
            continue
        # an id that stands for several texts does not say which of them was edited
        if len(texts[id]) == 1 or memory.text == episode.text:
            known[episode.id] = memory
    return known | _in_the_same_words(workspace, [each for each in episodes if each.id not in known])


def _named(workspace: Workspace, episodes: Sequence[Episode], keys: Mapping[str, str]) -> dict[str, Episode]:
    """By their new ids: `episodes` under the ids of their messages. An id that stands for several texts is none, and
    that of a memory that was erased stays erased."""
    ids = {each.id: message_id(each.namespace, each.source, keys[each.id]) for each in episodes if each.id in keys}
    taken = set(workspace.ledger.get_many(workspace.namespace, list(ids.values()))) if ids else set()
    taken |= workspace.ledger.erased(workspace.namespace, list(ids.values())) if ids else set()
    first: dict[str, Episode] = {}
    named: dict[str, Episode] = {}
    for episode in episodes:
        id = ids.get(episode.id)
        if id is None or id in taken:
            named[episode.id] = episode
            continue
        same = first.setdefault(id, replace(episode, id=id))
        is_same = (*_said_by(same), same.text) == (*_said_by(episode), episode.text)
        named[episode.id] = same if is_same else replace(episode, id=new_id("ep"))
    return named


def _said_by(episode: Episode) -> tuple[Hashable, ...]:
    names = (episode.session, episode.role, episode.speaker)
    return tuple(sound_text(name) if name is not None else None for name in names)


def _in_the_same_words(workspace: Workspace, episodes: Sequence[Episode]) -> dict[str, Episode]:
    """Those of `episodes` with a message id that are in the memory under an id of their own, as earlier releases stored
    them, and messages whose id is unique in no session."""
    sent = [episode for episode in episodes if MESSAGE_ID in episode.metadata]
    if not sent:
        return {}
    there = workspace.ledger.said(workspace.namespace, [sound_text(episode.text) for episode in sent])
    by_message = {_of_episode(episode): episode for episode in there if MESSAGE_ID in episode.metadata}
    return {each.id: by_message[same] for each in sent if (same := _of_episode(each)) in by_message}


def _of_episode(episode: Episode) -> Hashable:
    return (*_said_by(episode), sound_text(episode.text), str(episode.metadata[MESSAGE_ID]))
