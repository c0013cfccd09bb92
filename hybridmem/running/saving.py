"""A session in a folder: its messages and the layout of its state in JSON, its tensors in safetensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import to_json
from hybridmem.running.chunks import Piece, SessionMessage
from hybridmem.running.events import Event
from hybridmem.running.fingerprint import Fingerprint

if TYPE_CHECKING:
    from torch import Tensor

    from hybridmem.running.chunk import Chunk
    from hybridmem.running.state import SessionState

SESSION = "session.json"
STATE = "state.safetensors"
FORMAT = 1


def save(
    folder: Path,
    id: str,
    namespace: Namespace,
    messages: Sequence[SessionMessage],
    state: SessionState | None,
    fingerprint: Fingerprint | None,
) -> None:
    """Write a session to `folder`. Raises `InvalidInput` unless that is a new or an empty one."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(f"{str(folder)!r} is there already: save the session to a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [] if state is None else state.chunks
    written = {
        "format": FORMAT,
        "session": id,
        "namespace": list(namespace),
        "fingerprint": None if fingerprint is None else asdict(fingerprint),
        "messages": to_json(list(messages)),
        "chunks": [
            {
                "pieces": [[piece.message, list(piece.ids)] for piece in chunk.pieces],
                "surprise": chunk.surprise,
                "events": [asdict(event) for event in chunk.events],
                "compacted": chunk.compacted,
            }
            for chunk in chunks
        ],
        "dropped": 0 if state is None else state.dropped,
    }
    if chunks:
        from safetensors.torch import save_file

        tensors = {f"{number}.{name}": each for number, chunk in enumerate(chunks) for name, each in _tensors(chunk)}
        save_file(tensors, folder / STATE, metadata={"format": "pt"})
    (folder / SESSION).write_text(json.dumps(written, ensure_ascii=False) + "\n", encoding="utf-8")


def load(
    folder: Path, namespace: Namespace, state: SessionState | None, fingerprint: Fingerprint | None
) -> list[SessionMessage]:
    """The messages of a session that was saved; its chunks come into `state`, which `fingerprint` is of.

    Raises `InvalidInput` for a folder without a session and for one of another namespace, and `StateMismatch`."""
    try:
        found = json.loads((folder / SESSION).read_text(encoding="utf-8"))
        messages = [
            SessionMessage(**{**each, "at": None if each["at"] is None else parse_time(each["at"])})
            for each in found["messages"]
        ]
        saved_by = None if found["fingerprint"] is None else Fingerprint(**found["fingerprint"])
        version, owner = found["format"], tuple(found["namespace"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{str(folder)!r} holds no session that can be read ({error}): name one of `save`") from None
    if version != FORMAT:
        raise InvalidInput(
            f"the session in {str(folder)!r} has format {version}, and this reads {FORMAT}: update hybridmem"
        )
    if owner != namespace:
        raise InvalidInput(
            f"the session in {str(folder)!r} is of the namespace {'/'.join(owner)}, and this is "
            f"{'/'.join(namespace)}: open that one"
        )
    if state is not None and fingerprint is not None:
        if saved_by is not None:
            fingerprint.require(saved_by, f"the session in {str(folder)!r}")
            state.chunks = _chunks(folder, found["chunks"], state.reader.device)
            state.dropped = found["dropped"]
        else:
            state.chunks = []
            state.read(messages)
    return messages


def _tensors(chunk: Chunk) -> list[tuple[str, Tensor]]:
    hidden = [] if chunk.hidden is None else [("hidden", chunk.hidden)]
    states = [(f"convolution.{number:03d}", each) for number, each in enumerate(chunk.convolutions)]
    named = [*chunk.kept.tensors.items(), *hidden, *states]
    return [(name, tensor.contiguous()) for name, tensor in named]


def _chunks(folder: Path, found: Sequence[dict[str, Any]], device: Any) -> list[Chunk]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from hybridmem.running.chunk import Chunk
    from hybridmem.running.storage import KeyValues

    try:
        tensors = load_file(folder / STATE, device=str(device)) if found else {}
        made = []
        for number, each in enumerate(found):
            mine = {
                name.removeprefix(f"{number}."): tensor
                for name, tensor in tensors.items()
                if name.startswith(f"{number}.")
            }
            made.append(
                Chunk(
                    pieces=[Piece(message, tuple(ids)) for message, ids in each["pieces"]],
                    surprise=each["surprise"],
                    events=[Event(**event) for event in each["events"]],
                    kept=KeyValues(mine["keys"], mine["values"], mine.get("key_scale"), mine.get("value_scale")),
                    hidden=mine.get("hidden"),
                    convolutions=tuple(mine[name] for name in sorted(mine) if name.startswith("convolution.")),
                    compacted=each["compacted"],
                )
            )
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"the state in {str(folder)!r} cannot be read ({error}): save the session again") from None
    return made
