"""The blocks of one namespace, for whoever edits them."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from hybridmem.core import arguments
from hybridmem.core.errors import EditRefused, InvalidInput, StoreBusy, UnknownBlock
from hybridmem.core.records import Event
from hybridmem.core.standing import Block, checked_block, checked_label
from hybridmem.workspace import Workspace

Editor = Literal["user", "agent"]
"""Who edits a block: an agent is refused what is read-only, and its edits are marked in the history."""
EDITORS: tuple[Editor, ...] = ("user", "agent")
TRIES = 50
"""How often an edit is made anew because somebody else's came first."""


class Blocks:
    """Texts that are always in the agent's context (`Block`): read, written, edited in part, erased.

    `by` says who does it. Of two edits at a time, the second is made on what the first has left. Labels that no block
    has raise `UnknownBlock`; what does not fit raises `InvalidInput` and leaves the block as it was."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def list(self) -> builtins.list[Block]:
        """All of them, in the order of their labels."""
        return self._workspace.ledger.blocks(self._workspace.namespace)

    def get(self, label: str) -> Block:
        """One block."""
        return _required(label, self._find(label))

    def set(
        self,
        label: str,
        value: str | None = None,
        *,
        description: str | None = None,
        limit: int | None = None,
        read_only: bool | None = None,
        by: Editor = "user",
    ) -> Block:
        """Write a block, made where there is none; what is not given stays. `limit` is in characters. An agent can set
        neither `limit` nor `read_only`."""
        if by == "agent" and (limit is not None or read_only is not None):
            raise EditRefused("an agent edits what a block says: its limit and read_only are the user's to set")
        given = {"value": value, "description": description, "limit": limit, "read_only": read_only}
        changes = {name: each for name, each in given.items() if each is not None}
        for name in changes.keys() & {"value", "description"}:
            arguments.text(name, changes[name])
        if limit is not None:
            arguments.whole("limit", limit, least=1, most=2**31 - 1)

        def change(block: Block | None) -> Block:
            return replace(block or Block(label), **changes)  # type: ignore[arg-type]

        return self._edit(label, change, by)

    def append(self, label: str, text: str, *, create: bool = False, by: Editor = "user") -> Block:
        """Add a line at the end; with `create`, of a block that is made where there is none."""
        arguments.text("text", text)

        def change(block: Block | None) -> Block:
            known = block or Block(label) if create else _required(label, block)
            return replace(known, value=f"{known.value}\n{text}" if known.value else text)

        return self._edit(label, change, by)

    def replace(self, label: str, old: str, new: str, *, by: Editor = "user") -> Block:
        """Put `new` in place of `old`, which has to stand in the block exactly once; an empty `new` takes it out."""
        arguments.text("new", new)
        if not arguments.text("old", old):
            raise InvalidInput("the old text is empty: say which words to replace, or append")

        def change(block: Block | None) -> Block:
            known = _required(label, block)
            found = known.value.count(old)
            if found != 1:
                where = "is not in" if not found else f"stands {found} times in"
                raise EditRefused(f"the old text {where} the block {label}: copy it from there, with enough around it")
            return replace(known, value=known.value.replace(old, new))

        return self._edit(label, change, by)

    def delete(self, label: str, *, by: Editor = "user") -> dict[str, int]:
        """Erase a block and the texts of its history; returns what was removed, by place."""
        block = self.get(label)
        _require_editor(by, block)
        return self._workspace.ledger.remove_block(self._workspace.namespace, label, self._workspace.clock(), by=by)

    def history(self, label: str) -> builtins.list[Event]:
        """What became of a block, oldest first, of an erased one without its words."""
        events = self._workspace.ledger.block_history(self._workspace.namespace, checked_label(label))
        if not events:
            raise _unknown(label)
        return events

    def _find(self, label: str) -> Block | None:
        wanted = checked_label(label)
        return next((block for block in self.list() if block.label == wanted), None)

    def _edit(self, label: str, change: Callable[[Block | None], Block], by: Editor) -> Block:
        arguments.choice("editor", by, EDITORS)
        for _ in range(TRIES):
            block = self._find(label)
            if block is not None:
                _require_editor(by, block)
            changed = checked_block(replace(change(block), updated_at=self._workspace.clock()))
            stored = self._workspace.ledger.put_block(self._workspace.namespace, changed, replaces=block, by=by)
            if stored is not None:
                return stored
        raise StoreBusy(f"the block {label} is edited by others all the time: try again")


def _require_editor(by: Editor, block: Block) -> None:
    arguments.choice("editor", by, EDITORS)
    if by == "agent" and block.read_only:
        raise EditRefused(f"the block {block.label} is read-only: ask the user to change it")


def _required(label: str, block: Block | None) -> Block:
    if block is None:
        raise _unknown(label)
    return block


def _unknown(label: str) -> UnknownBlock:
    return UnknownBlock(f"there is no block {label!r}", "hybridmem block list shows those there are")
