"""What the tests of the promises tell the bundled base, and what they ask it."""

from __future__ import annotations

from collections.abc import Sequence

from hybridmem import HybridMemory
from hybridmem.metrics import is_correct

Told = tuple[str, str, str]
"""What is said, a question that no training sees, and its answer."""
FACTS: tuple[Told, ...] = (
    ("Zane Kolu lives in Riga.", "In what town is Zane Kolu at home?", "Riga"),
    ("The Heron project is led by Mira Sodo.", "Who is in charge of the Heron project?", "Mira Sodo"),
    ("The staging server listens on port 8443.", "What port should I use for the staging server?", "8443"),
    ("The door code of the storage room is KV-2207.", "What code opens the storage room?", "KV-2207"),
    ("Lena Moss is allergic to walnuts.", "What should Lena Moss not eat because of her allergy?", "walnuts"),
    ("The platform team meets on Thursday.", "On what weekday does the platform team meet?", "Thursday"),
    ("Otto Quill speaks Portuguese.", "What language can Otto Quill speak?", "Portuguese"),
    ("Nadia Fern works at Brightwater Ltd.", "Which company is Nadia Fern with?", "Brightwater Ltd"),
    ("Goran Pell lives in Turin.", "In what town is Goran Pell at home?", "Turin"),
    ("The archive server listens on port 9071.", "What port should I use for the archive server?", "9071"),
    ("The Otter project is led by Ines Vogt.", "Who is in charge of the Otter project?", "Ines Vogt"),
    ("Pia Lund works at Calder Ltd.", "Which company is Pia Lund with?", "Calder Ltd"),
)
STRANGERS = (
    "Where does Tamsin Kroll live?",
    "Who leads the Marlin project?",
    "Which port does the mail server use?",
    "What instrument does Lena Moss play?",
    "What is the door code of the server room?",
)


def held(memory: HybridMemory, told: Sequence[Told]) -> list[Told]:
    """Those of `told` that the dreams took into the weights; the others stay with retrieval."""
    active = memory.adapters.active()
    assert active is not None
    trained = [f.object for f in memory.ledger.facts(memory.namespace) if f.id in active.facts]
    return [fact for fact in told if any(is_correct(value, fact[2]) for value in trained)]
