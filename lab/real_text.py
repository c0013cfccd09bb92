"""Reading exercises from real text, for training: paragraphs of SQuAD 1.1 and turns of task dialogues.

Both sets are CC BY-SA 4.0: they are read where their files are at hand, and are no part of this package. Of SQuAD the
titles that `hybridmem.evaluation.suites.model.squad_paragraphs.is_held_out` keeps for evaluation are left out.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from lab.dialogue_exercises import DialogueExercises
from lab.paragraph_exercises import ParagraphExercises

Exercise = tuple[list[str], list[tuple[str, str]]]
"""One to five memory lines, and questions over them with their answers: words of the lines, or the refusal."""

_DIALOGUES = "sgd_dialogues.jsonl.xz"
_PARAGRAPHS_SHARE = 0.4
"""There are 15 times as many dialogues as paragraphs, but they are far more alike."""
_TRIES = 10


class RealText:
    """Exercises from ``sgd_dialogues.jsonl.xz`` in `text_folder` and from the file `squad`, either of them optional.

    A source is read once, when it is first drawn from: a few seconds. After that a draw takes under a millisecond."""

    def __init__(self, text_folder: Path | None, squad: Path | None) -> None:
        dialogues = text_folder and text_folder / _DIALOGUES
        self._dialogues = DialogueExercises(dialogues) if dialogues and dialogues.is_file() else None
        self._paragraphs = ParagraphExercises(squad) if squad and squad.is_file() else None

    def exchanges(self, rng: Random) -> Exercise | None:
        """One exercise, the same for the same state of `rng`; None where there is no source, or no draw suited."""
        wants_paragraph = rng.random() < _PARAGRAPHS_SHARE
        source = self._paragraphs if wants_paragraph else self._dialogues
        source = source or self._paragraphs or self._dialogues
        if source is None:
            return None
        for _ in range(_TRIES):
            drawn = source.draw(rng)
            if drawn is not None:
                return drawn
        return None
