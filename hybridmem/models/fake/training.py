"""How the fake model learns and forgets, by plain rules.

It knows an answer once it has seen its question `EXPOSURES` times. What its parent knew and this training never
rehearsed is gone, as it would be from the weights of a small network that is fine-tuned on something else (McCloskey
and Cohen 1989).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hybridmem.core.text.tokens import normalised
from hybridmem.models.fake.vocabulary import Vocabulary
from hybridmem.models.trainable import Example, StepResult, TrainingJob

if TYPE_CHECKING:
    from torch import Tensor

ADAPTER_FILE = "answers.json"
"""An adapter of the fake model: a JSON object of questions and answers, in a folder under this name."""
EXPOSURES = 2


def asked_for(words: Vocabulary, row: Example) -> str:
    """The question of a closed-book row, as the table has it."""
    return normalised(words.decode(row.prompt).removeprefix("Question: "))


class FakeTrainingAdapter:
    """A `models.trainable.TrainingAdapter` that is a table of questions and answers."""

    def __init__(
        self, job: TrainingJob, words: Vocabulary, parent: Mapping[str, str], beneath: Mapping[str, str]
    ) -> None:
        self._job = job
        self._words = words
        self._parent = dict(parent)
        self._beneath = dict(beneath)
        self._seen: Counter[str] = Counter()
        self._answers: dict[str, str] = {}
        taught = any(objective.needs_teacher for objective in job.objectives)
        self.teacher_tokens = sum(len(e.teacher_prompt) + len(e.completion) for e in job.examples) if taught else 0

    def step(self, rows: Sequence[Example], learning_rate: float) -> StepResult:
        asked = [row for row in rows if row.closed_book and self._is_trained(row)]
        table = self._beneath | self._table()
        known = [table.get(self._question(row)) == self._answer(row) for row in asked]
        if learning_rate > 0:
            for row in asked:
                question = self._question(row)
                self._seen[question] += 1
                self._answers[question] = self._answer(row)
        return StepResult(
            loss=known.count(False) / max(1, len(known)),
            known=known.count(True) / len(known) if known else 1.0,
            tokens=sum(row.tokens for row in rows),
        )

    def importance(self, rows: Sequence[Example]) -> dict[str, Tensor]:
        return {}

    def top_predictions(self, rows: Sequence[Example], k: int) -> list[tuple[Tensor, Tensor]]:
        return []

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ADAPTER_FILE).write_text(json.dumps(self._table(), sort_keys=True), "utf-8")

    def save_checkpoint(self, path: Path, state: Mapping[str, str]) -> None:
        unfinished = path.with_suffix(".half")
        kept = {"state": dict(state), "seen": dict(self._seen), "answers": self._answers}
        unfinished.write_text(json.dumps(kept), "utf-8")
        unfinished.replace(path)

    def load_checkpoint(self, path: Path) -> dict[str, str]:
        kept = json.loads(path.read_text("utf-8"))
        self._seen, self._answers = Counter(kept["seen"]), kept["answers"]
        state: dict[str, str] = kept["state"]
        return state

    def _table(self) -> dict[str, str]:
        """What it knows by now."""
        if not self._seen:
            return self._parent
        learned = {question: answer for question, answer in self._answers.items() if self._seen[question] >= EXPOSURES}
        rehearsed = {question: answer for question, answer in self._parent.items() if question in self._seen}
        return {**rehearsed, **learned}

    def _is_trained(self, row: Example) -> bool:
        return any(objective.covers(row) for objective in self._job.objectives)

    def _question(self, row: Example) -> str:
        return asked_for(self._words, row)

    def _answer(self, row: Example) -> str:
        return self._words.decode(row.completion)
