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
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from hybridmem.core.errors import CorruptAdapter
from hybridmem.core.text.tokens import normalised
from hybridmem.models.base import Generation
from hybridmem.models.prompts import NO_FACTS, REFUSAL, SEPARATOR, Message, is_refusal

ADAPTER_FILE = "answers.json"
"""An adapter of the fake model: a JSON object of questions and answers, in a folder under this name."""

_SENTENCE = re.compile(
    r"^(?P<subject>(?:(?:[Mm]y|[Oo]ur|[Tt]he)\s+\w+|I|[A-Z][\w'-]*)(?:\s+[A-Z][\w'-]*)*)\s+"
    r"(?P<relation>[a-z]\w*(?:\s+(?:to|in|at|on|for|with|a|an|the|as|by|of|from|now|is))*)\s+"
    r"(?P<object>\S.*?)(?:\s+(?:in|since|on)\s+\S+)?[.!]?$"
)
_STOPWORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are at by did do does for from has have he her his how i in is it know me my now of on or our she "
        "the their they to was what when where which who whose why you your remind tell",
    )
)
_SAME = {"moved": "live", "moves": "live", "named": "name", "called": "name", "job": "work"}
_SURE, _UNSURE = -0.01, -0.5
_JOBS = {"Question: ": "answer", "Memories:": "answer", "Facts in: ": "facts", "Question about: ": "question"}


class FakeModel:
    """Deterministic and free of torch. `calls` counts the prompts of each job: answer, facts, question, reword."""

    def __init__(self, answers: Mapping[str, str] | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self._known = _by_question(answers or {})
        self._name = "fake"

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
        """`temperature` and `seed` change nothing: there is one answer to each prompt."""
        return [self._generation(prompt, max_new_tokens) for prompt in prompts]

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        figures = []
        for prompt, completion in zip(prompts, completions, strict=True):
            own = normalised(self._completed(_asked(prompt))) == normalised(completion)
            figures.append([_SURE if own else -4.0] * (len(completion.split()) + 1))
        return figures

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return sum(len(message["content"].split()) for message in prompt)

    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        before = self._known
        self._known = {} if adapter is None else _read(adapter)
        try:
            yield
        finally:
            self._known = before

    def _generation(self, prompt: Sequence[Message], max_new_tokens: int) -> Generation:
        content = _asked(prompt)
        self.calls[next((job for head, job in _JOBS.items() if content.startswith(head)), "reword")] += 1
        words = self._completed(content).split(" ")[:max_new_tokens]
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

    def _completed(self, content: str) -> str:
        if content.startswith("Question: "):
            return self._known.get(normalised(content.removeprefix("Question: ")), REFUSAL)
        if content.startswith("Memories:"):
            lines = content.splitlines()
            question = lines[-1].removeprefix("Question: ")
            memories = [line.removeprefix("- ") for line in lines[1:-1]]
            return _read_off(question, memories)
        if content.startswith("Facts in: "):
            return _facts(content.removeprefix("Facts in: "))
        if content.startswith("Question about: "):
            return _question(content.removeprefix("Question about: "))
        return f"It is so: {content.removeprefix('Reword: ')}"


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


def _sentences(text: str) -> list[tuple[str, str, str]]:
    """(subject, relation, object) of each sentence of the form that the fake reads."""
    found = []
    for sentence in re.split(r"(?<=[.!?])\s+", text):
        match = _SENTENCE.match(sentence.strip())
        if match:
            found.append((match["subject"], match["relation"], match["object"]))
    return found


def _stems(text: str) -> set[str]:
    words = {_SAME.get(word, word) for word in re.findall(r"[\w-]+", text.casefold())} - _STOPWORDS
    return {re.sub(r"(?:ing|ed|es|s|e)$", "", word) if len(word) > 3 else word for word in words}


def _read_off(question: str, memories: Sequence[str]) -> str:
    """The object of the statement that shares most words with the question; of several, the last."""
    wanted = _stems(question)
    names = {normalised(name) for name in re.findall(r"(?<=\s)[A-Z][\w-]*", question)} - _STOPWORDS
    best, shared = REFUSAL, 1
    for memory in memories:
        for subject, relation, value in _sentences(memory):
            statement = _stems(f"{subject} {relation} {value}")
            if names <= {normalised(word) for word in re.findall(r"[\w-]+", subject)} | _stems(value):
                overlap = len(wanted & statement)
                if overlap > 1 and overlap >= shared:
                    best, shared = value, overlap
    return best


def _facts(text: str) -> str:
    return "\n".join(SEPARATOR.join(fact) for fact in _sentences(text)) or NO_FACTS


def _question(text: str) -> str:
    found = _sentences(text)
    if not found:
        return NO_FACTS
    subject, relation, value = found[0]
    return f"{subject} {relation} what?{SEPARATOR}{value}"
