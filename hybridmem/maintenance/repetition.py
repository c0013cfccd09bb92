"""Messages that were remembered before and are sent again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from hybridmem.core.records import Episode, sound_text
from hybridmem.workspace import Workspace

MESSAGE_ID = "id"
"""The entry of an episode's metadata with the id that its chat gave the message."""


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


def _of_episode(episode: Episode) -> Hashable:
    """What is the same for a message that is sent twice: words, role, speaker and session beside the id."""
    names = (episode.session, episode.role, episode.speaker, episode.text)
    sound = [sound_text(name) if name is not None else None for name in names]
    return (*sound, str(episode.metadata[MESSAGE_ID]))
