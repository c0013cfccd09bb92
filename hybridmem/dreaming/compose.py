"""Step 4: exercises from each fact's text, written by the model itself and checked against their source.

Paraphrase and question diversity decide whether a fact learned in the weights can be asked for later (Allen-Zhu and
Li 2023, arXiv:2309.14316); unknown facts learned without refusals raise invention (Gekhman et al. 2024,
arXiv:2405.05904), so each fact also yields near-miss questions whose answer is the refusal.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from hybridmem.dreaming.extract import contains
from hybridmem.dreaming.recipes import ComposeSettings
from hybridmem.metrics import right
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel
from hybridmem.records import Fact, Split, TrainingItem, new_id, normalised

FACTS_AT_ONCE = 8
FIRST_PERSON = re.compile(r"\b(i|me|my|mine|i'm|i've)\b")


@dataclass(frozen=True, slots=True)
class Composition:
    """Exercises for some facts."""

    items: tuple[TrainingItem, ...]
    poor: tuple[str, ...]
    """Facts with too few sound questions: they stay with retrieval."""
    written: int
    """Questions that the model wrote, before the check."""
    tokens: int


def compose(
    model: LanguageModel,
    facts: Sequence[Fact],
    others: Sequence[Fact],
    settings: ComposeSettings,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Composition:
    """Exercises for `facts`; `others` are the further facts that the ledger holds, for distractors and near misses."""
    rng = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    known = [*facts, *others]
    items: list[TrainingItem] = []
    poor: list[str] = []
    written = tokens = 0
    for start in range(0, len(facts), FACTS_AT_ONCE):
        batch = facts[start : start + FACTS_AT_ONCE]
        asked, cost = _write_questions(model, batch, settings, seed + start)
        written += sum(map(len, asked))
        tokens += cost
        sound, cost = _sound(model, batch, asked, known, settings, rng)
        tokens += cost
        for fact, questions in zip(batch, sound, strict=True):
            if len(questions) < settings.min_questions:
                poor.append(fact.id)
            else:
                items += _items(fact, questions)
        progress(min(start + FACTS_AT_ONCE, len(facts)), len(facts))
    items += near_misses(facts, known, items, rng)
    return Composition(tuple(items), tuple(poor), written, tokens)


def _write_questions(
    model: LanguageModel, facts: Sequence[Fact], settings: ComposeSettings, seed: int
) -> tuple[list[list[str]], int]:
    """Distinct questions on each fact whose answer is its object and that name its subject; and the tokens used."""
    asking = [prompts.question(fact.text) for fact in facts for _ in range(settings.samples)]
    greedy = model.generate([prompts.question(fact.text) for fact in facts], max_new_tokens=48)
    sampled = model.generate(asking, max_new_tokens=48, temperature=settings.temperature, seed=seed)
    questions: list[list[str]] = []
    for number, fact in enumerate(facts):
        own = sampled[number * settings.samples : (number + 1) * settings.samples]
        distinct: dict[str, str] = {}
        for completion in [greedy[number], *own]:
            pair = prompts.parse_question(completion.text)
            if pair and right(pair[1], fact.object) and _names_subject(pair[0], fact):
                distinct.setdefault(normalised(pair[0]), pair[0])
        questions.append(list(distinct.values()))
    return questions, sum(g.prompt_tokens + g.tokens for g in [*greedy, *sampled])


def _names_subject(question: str, fact: Fact) -> bool:
    return not contains(normalised(question), fact.object) and _names(normalised(question), fact.slot[0])


def _sound(
    model: LanguageModel,
    facts: Sequence[Fact],
    asked: Sequence[Sequence[str]],
    known: Sequence[Fact],
    settings: ComposeSettings,
    rng: random.Random,
) -> tuple[list[list[str]], int]:
    """The questions that the model, reading the fact among distractors, answers with its object."""
    reading = [
        (number, question, prompts.answer(question, context_for(facts[number], known, settings.distractors, rng)))
        for number, questions in enumerate(asked)
        for question in questions
    ]
    answers = model.generate([prompt for _, _, prompt in reading])
    sound: list[list[str]] = [[] for _ in facts]
    for (number, question, _), answer in zip(reading, answers, strict=True):
        if right(answer.text, facts[number].object):
            sound[number].append(question)
    return sound, sum(a.prompt_tokens + a.tokens for a in answers)


def context_for(fact: Fact, known: Sequence[Fact], distractors: int, rng: random.Random) -> list[str]:
    """The fact's text among up to `distractors` others that do not fill the same slot, in random order."""
    others = [f.text for f in known if f.slot != fact.slot and f.text != fact.text]
    context = [fact.text, *rng.sample(others, min(distractors, len(others)))]
    rng.shuffle(context)
    return context


def _items(fact: Fact, questions: Sequence[str]) -> list[TrainingItem]:
    """One item a question: the last is for the gate, the one before for the report, the rest for training."""
    training: list[Split] = ["train"] * (len(questions) - 2)
    splits: list[Split] = [*training, "test", "dev"]
    return [
        TrainingItem(new_id("it"), fact.namespace, fact.id, "question", question, fact.object, (fact.text,), split)
        for question, split in zip(questions, splits, strict=True)
    ]


def near_misses(
    facts: Sequence[Fact], known: Sequence[Fact], items: Iterable[TrainingItem], rng: random.Random
) -> list[TrainingItem]:
    """Questions that look like those on `facts` and that nothing known answers: about a stranger, or about what was
    never said of the subject. Each split of a fact's questions yields refusals of that split, and none stands in two.
    """
    filled = {f.slot for f in known}
    by_id = {f.id: f for f in facts}
    asked = [item for item in items if item.kind == "question" and item.fact in by_id]
    taken = {normalised(item.question) for item in asked}
    refusals: list[TrainingItem] = []
    for item in asked:
        fact = by_id[item.fact]
        for name in (_stranger_to(known, fact, rng), _never_said(fact, facts, filled, rng)):
            question = name and _asked_of(item.question, fact.subject, name)
            if question and normalised(question) not in taken:
                taken.add(normalised(question))
                refusals.append(
                    replace(item, id=new_id("it"), kind="refusal", question=question, answer=prompts.REFUSAL)
                )
    return still_unanswerable(refusals, by_id, known)


def still_unanswerable(
    items: Iterable[TrainingItem], facts: Mapping[str, Fact], known: Sequence[Fact]
) -> list[TrainingItem]:
    """`items` without the refusals whose question something `known` answers by now: what was never said of a subject
    may be said later. `facts` are the items' own, by id."""
    by_relation: dict[str, set[str]] = {}
    for fact in known:
        by_relation.setdefault(fact.slot[1], set()).add(fact.slot[0])

    def answered(item: TrainingItem) -> bool:
        said, relation = normalised(item.question), facts[item.fact].slot[1]
        return any(_names(said, subject) for subject in by_relation.get(relation, ()))

    return [item for item in items if item.kind != "refusal" or item.fact not in facts or not answered(item)]


def _names(said: str, subject: str) -> bool:
    """Whether the normalised question `said` is about the normalised `subject`."""
    # The plain test first: there are many subjects, and a pattern for each would have to be compiled.
    return bool(FIRST_PERSON.search(said)) if subject == "i" else subject in said and contains(said, subject)


def _asked_of(question: str, subject: str, name: str) -> str | None:
    """`question` with `name` in the place of `subject`, whole words only; None where it is not named so."""
    if subject == "I":
        return None
    asked, found = re.subn(rf"(?<!\w){re.escape(subject)}(?!\w)", lambda _: name, question)
    return asked if found else None


def _stranger_to(known: Sequence[Fact], fact: Fact, rng: random.Random) -> str:
    """An invented name of the shape of the fact's subject, that is nobody's and no value's."""
    taken = {word for f in known for word in (normalised(f.subject), normalised(f.object))}
    while normalised(name := stranger(fact.subject, rng)) in taken:
        pass
    return name


def _never_said(fact: Fact, facts: Sequence[Fact], filled: set[tuple[str, str]], rng: random.Random) -> str | None:
    """Another known subject of the same kind of name, of whom nothing in the fact's relation was ever said."""
    subjects = sorted({f.subject for f in facts if (f.subject[:1].isupper()) == (fact.subject[:1].isupper())} - {"I"})
    rng.shuffle(subjects)
    return next((subject for subject in subjects if (normalised(subject), fact.slot[1]) not in filled), None)


def stranger(name: str, rng: random.Random) -> str:
    """An invented name of the same shape: ``Mira`` becomes another word, ``the staging server`` another server."""
    words = name.split()
    if words[0][:1].isupper():
        return " ".join(_invented(rng) if word[:1].isupper() else word for word in words)
    if len(words) == 1:
        return _invented(rng).lower()
    kept = words[: max(1, len(words) - 2)]
    return " ".join([*kept, _invented(rng).lower(), words[-1]])


def _invented(rng: random.Random) -> str:
    onsets, vowels, ends = (
        ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "kl", "st", "tr"],
        "aeiou",
        ["", "n", "r", "l", "s", "x"],
    )
    word = "".join(rng.choice(onsets) + rng.choice(vowels) for _ in range(rng.choice((2, 2, 3))))
    return (word + rng.choice(ends)).capitalize()
