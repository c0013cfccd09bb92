"""Step 4: exercises from each fact's text, written by the model itself and checked against their source.

Paraphrase and question diversity decide whether a fact learned in the weights can be asked for later (Allen-Zhu and
Li 2023, arXiv:2309.14316); unknown facts learned without refusals raise invention (Gekhman et al. 2024,
arXiv:2405.05904), so each fact also yields near-miss questions whose answer is the refusal.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from hybridmem.core.records import Fact, Split, TrainingItem, new_id
from hybridmem.core.text.tokens import normalised
from hybridmem.dreaming.recipes import ComposeSettings
from hybridmem.dreaming.steps.extract import contains
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

FACTS_AT_ONCE = 8
ROUNDS = 3
"""How often questions are asked for; again only for facts that have fewer than `WANTED`."""
WANTED = 6
"""Sound questions: one for each exam and four to train on."""
HOTTER = 0.3
"""What a further round adds to the temperature."""
DRAWN_FROM = 6
"""Held-out questions are among so many most probable ones: an odd one would judge the night."""
ALIKE = 0.6
"""How like an answer what the reader says must be, from 0 to 1, to be that answer misspelt."""
LONG = 8
"""Characters of an answer that can be told when it is misspelt."""
OTHERS = 8
"""People who are asked about in the place of the speaker, for each fact."""
OTHERS_TEMPERATURE = 0.5
_HELD_OUT: tuple[Split, ...] = ("dev", "test")
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
        written_of: dict[tuple[str, str], _Exercise] = {}
        sound: list[_Exercise] = []
        short = batch
        for round_ in range(ROUNDS):
            if not short:
                break
            # A further round is hotter: the questions that came at the recipe's temperature would come again.
            asked, cost = _write_questions(
                model,
                short,
                known,
                settings,
                greedily=round_ == 0,
                temperature=settings.temperature + HOTTER * round_,
                seed=seed + start + round_ * len(facts),
            )
            tokens += cost
            new = {key: exercise for key, exercise in asked.items() if key not in written_of}
            written_of |= new
            checked, cost = _sound(model, list(new.values()), known, settings, rng)
            tokens += cost
            sound += checked
            short = [f for f in short if len(_best(sound, f, "question", settings)) < WANTED]
        written += len(written_of)
        for fact in batch:
            questions = _best(sound, fact, "question", settings)
            if len(questions) < settings.min_questions:
                poor.append(fact.id)
            else:
                items += _items(questions, _best(sound, fact, "reverse", settings), rng)
        progress(min(start + FACTS_AT_ONCE, len(facts)), len(facts))
    items += near_misses(facts, known, items, rng)
    taken = {item.fact for item in items}
    refusals, cost = _of_others(model, [f for f in facts if f.id in taken and f.subject == "I"], known, rng, seed)
    items += refusals
    tokens += cost
    return Composition(tuple(items), tuple(poor), written, tokens)


@dataclass(frozen=True, slots=True)
class _Exercise:
    """A question on a fact: for its object, or in reverse for its subject."""

    fact: Fact
    kind: Literal["question", "reverse"]
    question: str
    logprob: float
    """Of the completion that asked it: a small model's slips ("the bakery use") are improbable to itself."""

    @property
    def answer(self) -> str:
        return self.fact.object if self.kind == "question" else self.fact.subject


def _best(exercises: Iterable[_Exercise], fact: Fact, kind: str, settings: ComposeSettings) -> list[_Exercise]:
    """Those of `kind` on `fact` that the model found the most probable, best first."""
    own = [e for e in exercises if e.fact is fact and e.kind == kind]
    return sorted(own, key=lambda e: -e.logprob)[: settings.max_questions]


def _write_questions(
    model: LanguageModel,
    facts: Sequence[Fact],
    known: Sequence[Fact],
    settings: ComposeSettings,
    *,
    greedily: bool,
    temperature: float,
    seed: int,
) -> tuple[dict[tuple[str, str], _Exercise], int]:
    """Distinct questions on each fact that name its one end and ask for the other, by fact and normalised question; and
    the tokens used. `greedily`, the surest ones are among them.

    Half of them are asked of the fact's text, half of its bare words, which a small model reads more easily."""
    # What is known of the speaker is told of somebody, too: of others a model asks in more ways.
    somebody = _stranger_to(known, "Ana Brito", random.Random(seed))  # noqa: S311
    greedy = [(fact, text) for fact in facts for text in _tellings(fact, somebody, 2)] if greedily else []
    told = [(fact, text) for fact in facts for text in _tellings(fact, somebody, settings.samples)]
    completions = [
        *model.generate([prompts.question(text) for _, text in greedy], max_new_tokens=48),
        *model.generate(
            [prompts.question(text) for _, text in told], max_new_tokens=48, temperature=temperature, seed=seed
        ),
    ]
    ends = Counter(map(_end, known))
    distinct: dict[tuple[str, str], _Exercise] = {}
    for (fact, _), completion in zip([*greedy, *told], completions, strict=True):
        pair = prompts.parse_question(completion.text)
        if pair is None:
            continue
        question = asked_by_speaker(pair[0], somebody) if fact.subject == "I" else pair[0]
        if question is None:
            continue
        asked = normalised(question)
        if is_correct(pair[1], fact.object) and _names_subject(question, fact):
            distinct.setdefault((fact.id, asked), _Exercise(fact, "question", question, completion.logprob))
        elif (
            is_correct(pair[1], fact.subject)
            and _asks_back(asked, fact)
            and ends[fact.slot[1], normalised(fact.object)] == 1
        ):
            distinct.setdefault((fact.id, asked), _Exercise(fact, "reverse", pair[0], completion.logprob))
    return distinct, sum(g.prompt_tokens + g.tokens for g in completions)


def _tellings(fact: Fact, somebody: str, count: int) -> list[str]:
    """`count` texts to ask about: the fact's own in turn with its bare words, which are told of `somebody` where the
    fact is about the speaker."""
    texts = [fact.text, replace(fact, subject=somebody).bare if fact.subject == "I" else fact.bare]
    return [texts[number % len(texts)] for number in range(count)]


def asked_by_speaker(question: str, name: str) -> str | None:
    """`question` about `name`, as that person would ask it; None where its verb would need another form.

    >>> asked_by_speaker("What kind of car does Ana Brito have?", "Ana Brito")
    'What kind of car do I have?'
    >>> asked_by_speaker("What is Ana Brito's shoe size?", "Ana Brito")
    'What is my shoe size?'
    >>> asked_by_speaker("Do you know what Ana Brito drives?", "Ana Brito") is None
    True
    """
    who = re.escape(name)
    if re.search(rf"(?<!\bdoes )(?<!\bdid )(?<!\bcan )\b{who} \w+s\b", question):
        return None
    for verb, own in (("does", "do"), ("is", "am"), ("has", "have"), ("was", "was")):
        question = re.sub(rf"\b{verb} {who}(?!['’\w])", f"{own} I", question, flags=re.IGNORECASE)
    question = re.sub(rf"\b{who}['’]s\b", "my", question)
    question = re.sub(rf"\b(about|by|for|from|of|to|with) {who}\b", r"\1 me", question)
    question = re.sub(rf"\b{who}\b", "I", question)
    return question[0].upper() + question[1:]


def _names_subject(question: str, fact: Fact) -> bool:
    return not contains(normalised(question), fact.object) and _names(normalised(question), fact.slot[0])


def _end(fact: Fact) -> tuple[str, str]:
    """(relation, object): where two facts share it, asking back has two answers."""
    return fact.slot[1], normalised(fact.object)


def _asks_back(asked: str, fact: Fact) -> bool:
    return fact.subject != "I" and contains(asked, fact.object) and not contains(asked, fact.subject)


def _sound(
    model: LanguageModel,
    asked: Sequence[_Exercise],
    known: Sequence[Fact],
    settings: ComposeSettings,
    rng: random.Random,
) -> tuple[list[_Exercise], int]:
    """The exercises that the model, reading the fact beside others of its subject, answers as they want it.

    What is checked is whether the question leads to this fact. A small reader that finds "t.osman@brightwater.io" and
    misspells it has been led there; the answer that is trained is the fact's own."""
    reading = [
        prompts.answer(exercise.question, _beside(exercise.fact, known, settings.distractors, rng))
        for exercise in asked
    ]
    answers = model.generate(reading)
    values = {normalised(fact.object) for fact in known}
    sound = [
        e
        for e, answer in zip(asked, answers, strict=True)
        if is_correct(answer.text, e.answer) or _misspelt(answer.text, e.answer, values)
    ]
    return sound, sum(a.prompt_tokens + a.tokens for a in answers)


def _beside(fact: Fact, known: Sequence[Fact], distractors: int, rng: random.Random) -> list[str]:
    """The fact's text among up to `distractors` others of its subject: those that a question on something else would
    lead to."""
    return context_for(fact, [f for f in known if f.slot[0] == fact.slot[0]], distractors, rng)


def _misspelt(said: str, answer: str, values: Collection[str]) -> bool:
    """Whether `said` is the `answer` but for some letters of a long word; a number or another known value is not."""
    one, other = normalised(said), normalised(answer)
    if len(other) < LONG or one in values or re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def context_for(fact: Fact, known: Sequence[Fact], distractors: int, rng: random.Random) -> list[str]:
    """The fact's text among up to `distractors` others that do not fill the same slot, in random order."""
    others = [f.text for f in known if f.slot != fact.slot and f.text != fact.text]
    context = [fact.text, *rng.sample(others, min(distractors, len(others)))]
    rng.shuffle(context)
    return context


def _items(questions: Sequence[_Exercise], reverse: Sequence[_Exercise], rng: random.Random) -> list[TrainingItem]:
    """One item an exercise. Of the questions, the most probable first, one is drawn for the gate and, where there are
    enough, one for the report, from the better ones but never the first; the rest and everything in reverse is for
    training."""
    exams = _HELD_OUT if len(questions) >= WANTED else _HELD_OUT[:1]
    drawn = rng.sample(range(1, min(len(questions), DRAWN_FROM)), len(exams))
    splits: dict[int, Split] = dict(zip(drawn, exams, strict=True))
    asked = [(e, splits.get(place, "train")) for place, e in enumerate(questions)]
    return [
        TrainingItem(
            new_id("it"),
            e.fact.namespace,
            e.fact.id,
            e.kind,
            e.question,
            e.answer,
            (e.fact.text,),
            split,
        )
        for e, split in [*asked, *((e, "train") for e in reverse)]
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
        for name in (_stranger_to(known, fact.subject, rng), _never_said(fact, facts, filled, rng)):
            question = name and _asked_of(item.question, fact.subject, name)
            if question and normalised(question) not in taken:
                taken.add(normalised(question))
                refusals.append(
                    replace(item, id=new_id("it"), kind="refusal", question=question, answer=prompts.REFUSAL)
                )
    return still_sound(refusals, by_id, known)


def _of_others(
    model: LanguageModel, facts: Sequence[Fact], known: Sequence[Fact], rng: random.Random, seed: int
) -> tuple[list[TrainingItem], int]:
    """Refusals for what is known of the speaker: the model's questions about somebody of whom it was never said, for
    "What do I drive?" has no name in it to put another in the place of. Also the tokens used."""
    told = [(fact, _stranger_to(known, "Ana Brito", rng)) for fact in facts for _ in range(OTHERS)]
    texts = [replace(fact, subject=name).bare for fact, name in told]
    completions = model.generate(
        [prompts.question(text) for text in texts], max_new_tokens=48, temperature=OTHERS_TEMPERATURE, seed=seed
    )
    asked: dict[str, list[str]] = {}
    for (fact, name), completion in zip(told, completions, strict=True):
        pair = prompts.parse_question(completion.text)
        if pair and is_correct(pair[1], fact.object) and _names_subject(pair[0], replace(fact, subject=name)):
            asked.setdefault(fact.id, []).append(pair[0])
    refusals = [
        TrainingItem(new_id("it"), fact.namespace, fact.id, "refusal", question, prompts.REFUSAL, (fact.text,), split)
        for fact in facts
        for question, split in zip(asked.get(fact.id, ()), _splits(), strict=False)
    ]
    return still_sound(refusals, {f.id: f for f in facts}, known), sum(g.prompt_tokens + g.tokens for g in completions)


def _splits() -> Iterator[Split]:
    """The splits of exercises that come one by one: one for training, one for each exam, the rest for training."""
    yield "train"
    yield from _HELD_OUT
    while True:
        yield "train"


def still_sound(items: Iterable[TrainingItem], facts: Mapping[str, Fact], known: Sequence[Fact]) -> list[TrainingItem]:
    """`items` without those that what is `known` by now makes wrong: refusals of what was said since, and questions in
    reverse that have got a second answer. `facts` are the items' own, by id."""
    ends = Counter(map(_end, known))
    by_relation: dict[str, set[str]] = {}
    for fact in known:
        by_relation.setdefault(fact.slot[1], set()).add(fact.slot[0])

    def sound(item: TrainingItem) -> bool:
        fact = facts.get(item.fact)
        if fact is None or item.kind == "question":
            return True
        if item.kind == "reverse":
            return ends[_end(fact)] <= 1
        said = normalised(item.question)
        return not any(_names(said, subject) for subject in by_relation.get(fact.slot[1], ()))

    return [item for item in items if sound(item)]


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


def _stranger_to(known: Sequence[Fact], like: str, rng: random.Random) -> str:
    """An invented name of the shape of the name `like`, that is nobody's and no value's."""
    taken = {word for f in known for word in (normalised(f.subject), normalised(f.object))}
    while normalised(name := stranger(like, rng)) in taken:
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
