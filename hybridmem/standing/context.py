"""What is put in front of a conversation: the blocks, and the profile within its budget."""

from __future__ import annotations

from hybridmem.standing.profile import profile
from hybridmem.workspace import Workspace


def standing_lines(workspace: Workspace, budget: int) -> list[str]:
    """One line a block that says something, behind its label, and one a line of the profile. The blocks have limits of
    their own; `budget` bounds the profile, in tokens."""
    blocks = [
        f"{block.label}: {block.value}"
        for block in workspace.without_secrets().ledger.blocks(workspace.namespace)
        if block.value.strip()
    ]
    return [*blocks, *(line.text for line in profile(workspace, budget).lines)]
