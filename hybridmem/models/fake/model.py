"""A language model without a model: it does the jobs of `prompts` by plain rules, at once and always the same.

For tests of agents and of hybridmem itself. It reads sentences such as "Ana lives in Lisbon.", whose subject
starts with a capital letter or "I", "my" or "the", and answers with what follows the verb:

    >>> from hybridmem.models import prompts
    >>> model = FakeModel()
    >>> model.generate([prompts.answer("Where does Ana live?", ["Ana lives in Lisbon."])])[0].text
    'Lisbon'
    >>> model.generate([prompts.answer("Where does Ana live?")])[0].text
    "I don't know."
    >>> model.generate([prompts.facts("Ana lives in Lisbon.")])[0].text
    'Ana | lives in | Lisbon'
    >>> model.calls["answer"], model.calls["facts"]
    (2, 1)

A dream can train it: see `training`.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from hybridmem.core.errors import AdapterError, CorruptAdapter
from hybridmem.core.text.tokens import normalised
from hybridmem.models.base import Generation, Hear, generate_answers
from hybridmem.models.fake.rules import (
    FORMS,
    ask,
    ask_in_every_form,
    confirm,
    read_off,
    state_facts,
    state_propositions,
    stems,
)
from hybridmem.models.fake.training import ADAPTER_FILE, FakeTrainingAdapter, asked_for
from hybridmem.models.fake.vocabulary import Vocabulary
from hybridmem.models.jobs import BASIC
from hybridmem.models.prompts import REFUSAL, Message, is_refusal
from hybridmem.models.trainable import Combination, Example, Recall, StepResult, TrainingJob, WeightEdit

_SURE, _UNSURE = -0.01, -0.5
_JOBS = {
    "Question: ": "answer",
    "Memories:": "answer",
    "Facts in: ": "facts",
    "Question about: ": "question",
    "Questions about: ": "questions",
    "Before: ": "propositions",
    "Statements in: ": "propositions",
}


class FakeModel:
    """A `models.trainable.TrainableModel`, deterministic and free of torch.

    `calls` counts the prompts of each job: answer, facts, propositions, question, questions, reword. It does them all;
    `jobs` is what it says that it was trained for (see `models.skills`), so that a dream reads by propositions or by
    triples."""

    def __init__(self, answers: Mapping[str, str] | None = None, *, jobs: Iterable[str] = BASIC) -> None:
        self.jobs = frozenset(jobs)
        self.calls: Counter[str] = Counter()
        self._known = _by_question(answers or {})
        self._name = "fake"
        self._words = Vocabulary()
        self._in_training = False
        self._turn = threading.RLock()

    @property
    def name(self) -> str:
        return self._name

    @property
    def sha256(self) -> str:
        return hashlib.sha256(b"hybridmem fake model 1").hexdigest()

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        """There is one answer to each prompt, but for questions: with a `temperature` their form is drawn."""
        with self._turn:
            return [
                self._generation(prompt, max_new_tokens, form=_form(seed, place) if temperature else 0)
                for place, prompt in enumerate(prompts)
            ]

    def speak(
        self,
        prompt: Sequence[Message],
        hear: Hear,
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Generation:
        """Word by word."""
        (said,) = self.generate([prompt], max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
        return _spoken(said, hear)

    def speak_answer(self, prompt: Sequence[Message], hear: Hear) -> Generation:
        return _spoken(generate_answers(self, [prompt])[0], hear)

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        figures = []
        for prompt, completion in zip(prompts, completions, strict=True):
            own = normalised(self._completed(_asked(prompt))) == normalised(completion)
            figures.append([_SURE if own else -4.0] * (len(completion.split()) + 1))
        return figures

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return sum(len(message["content"].split()) for message in prompt)

    def render_pair(self, messages: Sequence[Message], completion: str) -> tuple[list[int], list[int]]:
        return self._words.encode(_asked(messages)), [*self._words.encode(completion), self._words.end]

    def encode_text(self, text: str) -> list[int]:
        return self._words.encode(text)

    def cross_entropy(self, rows: Sequence[Sequence[int]]) -> float:
        """The same for any text, and a little more with an adapter in force."""
        if not rows:
            return 0.0
        return 3.01 if self._known else 3.0

    @contextmanager
    def training(self, job: TrainingJob) -> Iterator[FakeTrainingAdapter]:
        if self._in_training:
            raise AdapterError("an adapter of this model is in training already: finish that one first")
        self._in_training = True
        try:
            parent, beneath = ({} if folder is None else _read(folder) for folder in (job.parent, job.beneath))
            yield FakeTrainingAdapter(job, self._words, parent, beneath)
        finally:
            self._in_training = False

    def edit(self, edit: WeightEdit, into: Path) -> StepResult:
        """What the parent knows stays, and every question of the edit is known."""
        rows = [row for fact in edit.facts for row in fact]
        table = {} if edit.parent is None else _read(edit.parent)
        table |= {asked_for(self._words, row): self._words.decode(row.completion) for row in rows}
        into.mkdir(parents=True, exist_ok=True)
        (into / ADAPTER_FILE).write_text(json.dumps(table, sort_keys=True), "utf-8")
        return StepResult(0.0, 1.0, sum(len(row.prompt) + len(row.completion) for row in rows))

    def recall(self, rows: Sequence[Example], adapter: Path | None) -> list[Recall]:
        """An answer is known by heart or not at all."""
        known = {} if adapter is None else _read(adapter)
        words = self._words
        knows = [known.get(asked_for(words, row)) == words.decode(row.completion) for row in rows]
        return [Recall(-_SURE, 4.0) if by_heart else Recall(4.0, -4.0) for by_heart in knows]

    def combine(self, adapters: Sequence[Path], how: Combination, into: Path, *, rank: int, seed: int) -> None:
        """Every answer of each; the later adapter's where two disagree."""
        into.mkdir(parents=True, exist_ok=True)
        answers = {question: answer for folder in adapters for question, answer in _read(folder).items()}
        (into / ADAPTER_FILE).write_text(json.dumps(answers, sort_keys=True), "utf-8")

    def scale_adapter(self, adapter: Path, scale: float, into: Path) -> None:
        """An answer is there or it is not: at half its scale and below, none is."""
        into.mkdir(parents=True, exist_ok=True)
        answers = _read(adapter) if scale > 0.5 else {}
        (into / ADAPTER_FILE).write_text(json.dumps(answers, sort_keys=True), "utf-8")

    def forget(self, adapter: Path) -> None:
        """Nothing to do: adapters are read anew each time."""

    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        with self._turn:
            before = self._known
            self._known = {} if adapter is None else _read(adapter)
            try:
                yield
            finally:
                self._known = before

    def _generation(self, prompt: Sequence[Message], max_new_tokens: int, *, form: int) -> Generation:
        content = _asked(prompt)
        self.calls[next((job for head, job in _JOBS.items() if content.startswith(head)), "reword")] += 1
        words = self._completed(content, form).split(" ")[:max_new_tokens]
        text = " ".join(words)
        each = _UNSURE if is_refusal(text) else _SURE
        return Generation(
            text=text,
            prompt_tokens=self.count_tokens(prompt),
            tokens=len(words) + 1,
            logprob=each * (len(words) + 1),
            min_probability=0.99 if each == _SURE else 0.6,
            margin=-1.0 / each / 20,
            entropy=-2 * each,
        )

    def _completed(self, content: str, form: int = 0) -> str:
        if content.startswith("Question: "):
            return self._recalled(content.removeprefix("Question: "))
        if content.startswith("Memories:") and "\nIs it: " in content:
            return confirm(content)
        if content.startswith("Memories:"):
            lines = content.splitlines()
            question = lines[-1].removeprefix("Question: ")
            memories = [line.removeprefix("- ") for line in lines[1:-1]]
            return read_off(question, memories)
        if content.startswith("Facts in: "):
            return state_facts(content.removeprefix("Facts in: "))
        if content.startswith(("Before: ", "Statements in: ")):
            return state_propositions(content)
        if content.startswith("Question about: "):
            return ask(content.removeprefix("Question about: "), form)
        if content.startswith("Questions about: "):
            return ask_in_every_form(content.removeprefix("Questions about: "))
        return f"It is so: {content.removeprefix('Reword: ')}"

    def _recalled(self, question: str) -> str:
        """The answer to this question, or to one of the same stems."""
        known = self._known.get(normalised(question))
        if known is not None:
            return known
        wanted = stems(question)
        return next((answer for asked, answer in self._known.items() if stems(asked) == wanted), REFUSAL)


def _spoken(said: Generation, hear: Hear) -> Generation:
    words = said.text.split(" ")
    for count in range(1, len(words) + 1):
        hear(replace(said, text=" ".join(words[:count])))
    return said


def _form(seed: int, place: int) -> int:
    return Random(f"{seed}/{place}").randrange(len(FORMS))  # noqa: S311 - a reproducible draw, not a secret


def _asked(prompt: Sequence[Message]) -> str:
    return next((message["content"] for message in reversed(prompt) if message["role"] == "user"), "")


def _by_question(answers: Mapping[str, str]) -> dict[str, str]:
    return {normalised(question): answer for question, answer in answers.items()}


def _read(adapter: Path) -> dict[str, str]:
    file = adapter / ADAPTER_FILE if adapter.is_dir() else adapter
    try:
        answers = json.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise CorruptAdapter(f"the adapter in {str(adapter)!r} lacks {file.name}") from None
    except ValueError as error:
        raise CorruptAdapter(f"{str(file)!r} is no JSON ({error}): restore it, or roll back") from None
    if not isinstance(answers, dict) or not all(isinstance(answer, str) for answer in answers.values()):
        raise CorruptAdapter(f"{str(file)!r} holds no questions and answers: restore it, or roll back")
    return _by_question(answers)
