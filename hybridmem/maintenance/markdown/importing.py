"""A person's edits in an exported folder, back into the memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hybridmem.core.errors import InvalidInput, NotFound
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import BulkReceipt
from hybridmem.maintenance.erasure import erase_listed
from hybridmem.maintenance.markdown import exporting, folder, rendering, snapshot, writing
from hybridmem.maintenance.markdown.calls import Memory
from hybridmem.maintenance.markdown.comparison import Conflict, Prefer, Removed, compare
from hybridmem.maintenance.markdown.folder import LeftAlone
from hybridmem.maintenance.markdown.plan import MarkdownChange, Refusal, planned
from hybridmem.workspace import Workspace


@dataclass(frozen=True, slots=True)
class MarkdownReceipt:
    """What an import took in, and what it left as it was."""

    folder: str
    namespace: Namespace
    dry_run: bool
    changes: tuple[MarkdownChange, ...]
    kept: tuple[MarkdownChange, ...] = ()
    """Memories whose lines are gone and which wait for a word, since an erasure cannot be undone."""
    conflicts: tuple[Conflict, ...] = ()
    refused: tuple[Refusal, ...] = ()
    left_alone: tuple[LeftAlone, ...] = ()
    """Lines and files that are no memory's."""
    changed_since: tuple[str, ...] = ()
    """Ids of memories that came, went or changed in the memory since the export."""
    erased: BulkReceipt | None = None
    written: tuple[str, ...] = ()
    """Files that were brought up to the memory."""
    removed: tuple[str, ...] = ()
    """Files that had nothing left in them."""

    @property
    def is_whole(self) -> bool:
        """Whether every edit was taken in."""
        return not (self.kept or self.conflicts or self.refused)


def import_(
    workspace: Workspace, memory: Memory, root: Path, *, dry_run: bool, delete: bool, prefer: Prefer | None
) -> MarkdownReceipt:
    """Take a person's edits in the exported folder `root` into the `memory`, and bring the files up to it.

    Raises `InvalidInput` for a folder that no export wrote, or that another namespace's did."""
    folder.checked_folder(root)
    before = snapshot.read(root)
    if before is None:
        raise InvalidInput(
            f"{root} is no folder that `hybridmem export --markdown` wrote: for notes of your own, use "
            f"`hybridmem add --from {root}`"
        )
    exporting.require_same(before.namespace, workspace.namespace, root)
    files = folder.read(root, before.written)
    rendered = rendering.render(workspace)
    found = compare(before, files, rendered, prefer)
    plan = planned(found, rendered, delete=delete)
    receipt = MarkdownReceipt(
        folder=str(root),
        namespace=workspace.namespace,
        dry_run=dry_run,
        changes=(*(edit.change for edit in plan.edits), *map(_erased, plan.doomed)),
        kept=tuple(map(_erased, plan.kept)),
        conflicts=found.conflicts,
        refused=plan.refused,
        left_alone=found.left_alone,
        changed_since=found.changed_since,
    )
    if dry_run:
        return receipt
    taken: list[MarkdownChange] = []
    refused = list(plan.refused)
    waiting = list(plan.edits)
    doomed = list(plan.doomed)
    erased: BulkReceipt | None = None
    try:
        for edit in plan.edits:
            try:
                ids = [call(memory) for call in edit.calls]
            except (InvalidInput, NotFound) as error:
                refused.append(edit.refusal(str(error)))
                doomed = [each for each in doomed if each != edit.parted]
            else:
                waiting.remove(edit)
                taken.append(replace(edit.change, id=ids[-1]))
        # Last: a value that could not be written must not have cost the one before it.
        if doomed:
            erased = erase_listed(workspace, [each.memory.record.id for each in doomed])
            taken += map(_erased, doomed)
            doomed = []
    finally:
        # Also after Ctrl-C or on a full disk: what was taken in must not be taken in again.
        written = writing.write(
            workspace,
            root,
            files,
            before,
            kept=exporting.kept_lines(found, [*found.conflicts, *plan.refused, *(each.change for each in waiting)]),
            waiting={
                *found.held,
                *(each.mark for each in found.conflicts if each.in_file is not None),
                *(each.mark for each in plan.refused if each.mark),
                *(each.mark for each in waiting if each.mark),
                *(each.memory.block for each in (*plan.kept, *doomed)),
            },
        )
    return replace(
        receipt,
        changes=tuple(taken),
        refused=tuple(refused),
        erased=erased,
        written=written.written,
        removed=written.removed,
    )


def _erased(removed: Removed) -> MarkdownChange:
    return MarkdownChange("erase", removed.file, 0, removed.memory.text, None, removed.memory.record.id)
