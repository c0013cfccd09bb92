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
from typing import Literal, cast

from hybridmem.core.errors import ReaderBudgetSpent
from hybridmem.core.records import Fact, Split, TrainingItem, new_id
from hybridmem.core.text.first_person import SPEAKER, THE_USER, asked_by_user
from hybridmem.core.text.subjects import names_any_subject, names_subject
from hybridmem.core.text.tokens import contains_words, normalised, whole_words
from hybridmem.dreaming.reading.aboutness import asks_of_its_subject, is_about
from hybridmem.dreaming.reading.agreement import answers
from hybridmem.dreaming.recipes import ComposeSettings
from hybridmem.metrics import is_correct
from hybridmem.models import prompts, skills
from hybridmem.models.base import LanguageModel
from hybridmem.models.reader import Reader
from hybridmem.training.examples import context_for

FACTS_AT_ONCE = 8
ROUNDS = 3
"""Rounds of asking for questions; later rounds are for facts with fewer than `WANTED`."""
WANTED = 6
"""Sound questions per fact: one for each held-out split and four to train on."""
HOTTER = 0.3
"""Added to the temperature by each further round."""
DRAWN_FROM = 6
"""Held-out questions are drawn from this many of the most probable ones: an odd one must not decide the gate."""
ALIKE = 0.6
"""Similarity from 0 to 1 above which the reader's words count as the answer misspelt."""
LONG = 8
"""Characters of the shortest answer that is still recognised when it is misspelt."""
OTHERS = 8
"""Invented people per fact about the speaker: questions about them are refusals."""
OTHERS_TEMPERATURE = 0.5
TOKENS_A_QUESTION = 32
"""Of a question with its answer, in a list of them."""
_HELD_OUT: tuple[Split, ...] = ("dev", "test")


@dataclass(frozen=True, slots=True)
class Composition:
    """Exercises for some facts."""

    items: tuple[TrainingItem, ...]
    poor: tuple[str, ...]
    """Facts with too few sound questions: they stay with retrieval."""
    written: int
    """Questions that the model wrote, before the check."""
    tokens: int
    waiting: tuple[str, ...] = ()
    """Facts that the reader's bound leaves for the next night."""


def compose(
    model: Reader,
    facts: Sequence[Fact],
    others: Sequence[Fact],
    settings: ComposeSettings,
    seed: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Composition:
    """Exercises for `facts`; `others` are the ledger's further facts, which yield distractors and near misses.

    A model that samples is asked for one question at a time, any other one for several at once."""
    rng = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    known = [*facts, *others]
    items: list[TrainingItem] = []
    poor: list[str] = []
    written = tokens = 0
    waiting: tuple[str, ...] = ()
    # What a bound cuts off in the middle is lost: fact by fact, that is little.
    at_once = FACTS_AT_ONCE if getattr(model, "room", None) is None else 1
    for start in range(0, len(facts), at_once):
        batch = facts[start : start + at_once]
        try:
            found, count, cost = _sound_exercises(model, batch, known, settings, rng, seed + start, len(facts))
        except ReaderBudgetSpent:
            waiting = tuple(fact.id for fact in facts[start:])
            break
        written += count
        tokens += cost
        for fact in batch:
            questions = _best(found, fact, "question", settings)
            if len(questions) < settings.min_questions:
                poor.append(fact.id)
            else:
                items += _items(questions, _best(found, fact, "reverse", settings), rng)
        progress(min(start + at_once, len(facts)), len(facts))
    items += near_misses([f for f in facts if f.id not in waiting], known, items, rng)
    taken = {item.fact for item in items}
    own = [f for f in facts if f.id in taken and f.subject == SPEAKER]
    try:
        refusals, cost = _refusals_about_strangers(model, own, known, rng, seed)
    except ReaderBudgetSpent:
        # Without refusals beside them they would teach the weights to invent.
        left = {fact.id for fact in own}
        items, refusals, cost = [item for item in items if item.fact not in left], [], 0
        waiting = (*waiting, *left)
    items += refusals
    tokens += cost
    return Composition(tuple(items), tuple(poor), written, tokens, waiting)


def _sound_exercises(
    model: Reader,
    facts: Sequence[Fact],
    known: Sequence[Fact],
    settings: ComposeSettings,
    rng: random.Random,
    seed: int,
    seeds_a_round: int,
) -> tuple[list[_Exercise], int, int]:
    """The exercises on `facts` that passed their check, how many were written, and the tokens used."""
    written: dict[tuple[str, str], _Exercise] = {}
    sound: list[_Exercise] = []
    tokens = 0
    short = list(facts)
    for round_ in range(ROUNDS):
        if not short:
            break
        if skills.samples(model):
            # A further round is hotter: the recipe's temperature would give the same questions again.
            asked, cost = _write_questions(
                cast(LanguageModel, model),
                short,
                known,
                settings,
                greedily=round_ == 0,
                temperature=settings.temperature + HOTTER * round_,
                seed=seed + round_ * seeds_a_round,
            )
        else:
            asked, cost = _list_questions(model, short, known, settings, written)
        tokens += cost
        new = {key: exercise for key, exercise in asked.items() if key not in written}
        written |= new
        checked, cost = _sound(model, list(new.values()), known, settings, rng)
        tokens += cost
        sound += checked
        short = [f for f in short if len(_best(sound, f, "question", settings)) < WANTED]
    return sound, len(written), tokens


@dataclass(frozen=True, slots=True)
class _Exercise:
    """A question about a fact: for its object, or in reverse for its subject."""

    fact: Fact
    kind: Literal["question", "reverse"]
    question: str
    logprob: float
    """The model's log-probability of this question: a small model's slips ("the bakery use") are improbable to
    itself."""

    @property
    def answer(self) -> str:
        return self.fact.object if self.kind == "question" else self.fact.subject


def _best(exercises: Iterable[_Exercise], fact: Fact, kind: str, settings: ComposeSettings) -> list[_Exercise]:
    """The exercises of `kind` about `fact` that the model found most probable, best first."""
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
    """Distinct questions about each fact that name one end of it and ask for the other, by fact and normalised
    question; and the tokens used. With `greedily`, the most probable questions are among them.

    One half is asked about the fact's text, the other about its bare words, which a small model reads more easily."""
    # Facts about the speaker are also put to the model as facts about somebody: it asks about others in more ways.
    somebody = _stranger_to(known, "Ana Brito", random.Random(seed))  # noqa: S311
    greedy = [(fact, text) for fact in facts for text in _texts_about(fact, somebody, 2)] if greedily else []
    sampled = [(fact, text) for fact in facts for text in _texts_about(fact, somebody, settings.samples)]
    completions = [
        *model.generate([skills.question(model, text) for _, text in greedy], max_new_tokens=48),
        *model.generate(
            [skills.question(model, text) for _, text in sampled], max_new_tokens=48, temperature=temperature, seed=seed
        ),
    ]
    ends = Counter(map(_end, known))
    distinct = _believed_by(facts) if greedily else {}
    for (fact, _), completion in zip([*greedy, *sampled], completions, strict=True):
        pair = prompts.parse_question(completion.text)
        exercise = _exercise(fact, pair, completion.logprob, somebody, ends) if pair else None
        # "Who plays the tuba?" would be answered by this fact for everybody.
        astray = exercise and fact.question and not asks_of_its_subject(exercise.question, exercise.answer, fact.text)
        if exercise and not astray:
            distinct.setdefault((fact.id, normalised(exercise.question)), exercise)
    return distinct, sum(g.prompt_tokens + g.tokens for g in completions)


def _list_questions(
    model: Reader,
    facts: Sequence[Fact],
    known: Sequence[Fact],
    settings: ComposeSettings,
    written: Mapping[tuple[str, str], _Exercise],
) -> tuple[dict[tuple[str, str], _Exercise], int]:
    """Distinct questions about each fact that are not among the `written` ones, as `_write_questions` gives them."""
    asked: list[tuple[Fact, str]] = [(fact, fact.object) for fact in facts]
    # A triple is also asked for from its other end.
    asked += [(fact, fact.subject) for fact in facts if not fact.question and fact.subject != SPEAKER]
    there = {fact.id: [e.question for (id, _), e in written.items() if id == fact.id] for fact in facts}
    completions = model.generate(
        [
            skills.questions(model, fact.text, answer, settings.max_questions, other_than=there[fact.id])
            for fact, answer in asked
        ],
        max_new_tokens=TOKENS_A_QUESTION * settings.max_questions,
    )
    ends = Counter(map(_end, known))
    distinct = {} if written else _believed_by(facts)
    for (fact, _), completion in zip(asked, completions, strict=True):
        for pair in prompts.parse_questions(completion.text):
            exercise = _exercise(fact, pair, 0.0, "", ends)
            if exercise:
                distinct.setdefault((fact.id, normalised(exercise.question)), exercise)
    return distinct, sum(each.prompt_tokens + each.tokens for each in completions)


def _believed_by(facts: Sequence[Fact]) -> dict[tuple[str, str], _Exercise]:
    """The question that each fact was believed by, where there is one: it was checked when the fact was read."""
    return {
        (fact.id, normalised(fact.question)): _Exercise(fact, "question", fact.question, 0.0)
        for fact in facts
        if fact.question
    }


def _exercise(
    fact: Fact, pair: tuple[str, str], logprob: float, somebody: str, ends: Mapping[tuple[str, str], int]
) -> _Exercise | None:
    """The exercise of a question with its answer; None where it asks neither for the fact's object nor, of a triple,
    for its subject."""
    if fact.question:
        question = asked_by_user(pair[0])
        tells = contains_words(normalised(question), fact.object)
        fits = _is_object(pair[1], fact) and is_about(question, fact.text) and not tells
        return _Exercise(fact, "question", question, logprob) if fits else None
    if fact.subject == SPEAKER:
        own = asked_by_speaker(pair[0], somebody) if somebody else asked_by_user(pair[0])
    else:
        own = pair[0]
    if own is None:
        return None
    if is_correct(pair[1], fact.object) and _asks_for_object(own, fact):
        return _Exercise(fact, "question", own, logprob)
    back = is_correct(pair[1], fact.subject) and _asks_back(normalised(own), fact) and ends[_end(fact)] == 1
    return _Exercise(fact, "reverse", pair[0], logprob) if back else None


def _is_object(said: str, fact: Fact) -> bool:
    """Whether `said` is the fact's object; that of a question may be a date in other words."""
    return is_correct(said, fact.object) or (bool(fact.question) and answers(said, fact.object, fact.valid_from.date()))


def _texts_about(fact: Fact, somebody: str, count: int) -> list[str]:
    """`count` texts to ask about: the fact's own text and its bare words in turn. In the bare words, `somebody` stands
    in for the speaker. A proposition has no bare words: it says all that it says by itself."""
    if fact.question:
        return [fact.text] * count
    texts = [fact.text, replace(fact, subject=somebody).bare if fact.subject == SPEAKER else fact.bare]
    return [texts[number % len(texts)] for number in range(count)]


def asked_by_speaker(question: str, name: str) -> str | None:
    """`question` about `name` as that person would ask it; None where its verb would need another form.

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


def _asks_for_object(question: str, fact: Fact) -> bool:
    return not contains_words(normalised(question), fact.object) and names_subject(question, fact.subject, plural=False)


def _end(fact: Fact) -> tuple[str, str]:
    """(relation, object): two facts that share it make the reverse question ambiguous."""
    return fact.slot[1], normalised(fact.object)


def _asks_back(asked: str, fact: Fact) -> bool:
    return fact.subject != SPEAKER and contains_words(asked, fact.object) and not contains_words(asked, fact.subject)


def _sound(
    model: Reader,
    asked: Sequence[_Exercise],
    known: Sequence[Fact],
    settings: ComposeSettings,
    rng: random.Random,
) -> tuple[list[_Exercise], int]:
    """The exercises that the model answers correctly when it reads the fact among others of the same subject.

    The check is whether the question leads to this fact. A small reader that finds "t.osman@brightwater.io" and
    misspells it passes; the trained answer is the fact's own."""
    reading = [
        prompts.answer(exercise.question, _beside(exercise.fact, known, settings.distractors, rng))
        for exercise in asked
    ]
    answers = model.generate(reading)
    values = {normalised(fact.object) for fact in known}
    sound = [
        e
        for e, answer in zip(asked, answers, strict=True)
        if is_correct(answer.text, e.answer)
        or (e.kind == "question" and _is_object(answer.text, e.fact))
        or _misspelt(answer.text, e.answer, values)
    ]
    return sound, sum(a.prompt_tokens + a.tokens for a in answers)


def _beside(fact: Fact, known: Sequence[Fact], distractors: int, rng: random.Random) -> list[str]:
    """The fact's text among up to `distractors` others of its subject: a question about something else would lead to
    them."""
    return context_for(fact, [f for f in known if normalised(f.subject) == normalised(fact.subject)], distractors, rng)


def _misspelt(said: str, answer: str, values: Collection[str]) -> bool:
    """Whether `said` is the `answer` with a few wrong letters. Other digits, or another known value, are no slip."""
    one, other = normalised(said), normalised(answer)
    if len(other) < LONG or one in values or re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= ALIKE


def _items(questions: Sequence[_Exercise], reverse: Sequence[_Exercise], rng: random.Random) -> list[TrainingItem]:
    """One item per exercise; `questions` come most probable first.

    One of the better questions, but never the first, is drawn for the gate, and another for the report where there are
    enough. The other questions and all reverse ones are for training."""
    held_out = _HELD_OUT if len(questions) >= WANTED else _HELD_OUT[:1]
    drawn = rng.sample(range(1, min(len(questions), DRAWN_FROM)), len(held_out))
    splits: dict[int, Split] = dict(zip(drawn, held_out, strict=True))
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
    """Questions that look like those about `facts` and that nothing known answers: they ask about a stranger, or about
    something that was never said of their subject. A refusal has the split of its question, and none is in two splits.
    """
    filled = {f.slot for f in known}
    by_id = {f.id: f for f in facts}
    asked = [item for item in items if item.kind == "question" and item.fact in by_id]
    taken = {normalised(item.question) for item in asked}
    refusals: list[TrainingItem] = []
    for item in asked:
        fact = by_id[item.fact]
        others = [_stranger_to(known, fact.subject, rng)]
        if not fact.question:
            # Whether a question was answered of somebody else, in other words, no comparison of slots can tell.
            others += [_never_said(fact, facts, filled, rng) or ""]
        for name in others:
            question = name and _asked_of(item.question, fact.subject, name)
            if question and normalised(question) not in taken:
                taken.add(normalised(question))
                refusals.append(
                    replace(item, id=new_id("it"), kind="refusal", question=question, answer=prompts.REFUSAL)
                )
    return still_sound(refusals, by_id, known)


def _refusals_about_strangers(
    model: Reader, facts: Sequence[Fact], known: Sequence[Fact], rng: random.Random, seed: int
) -> tuple[list[TrainingItem], int]:
    """Refusals for facts about the speaker, and the tokens used: questions that the model asks about invented people.

    "What do I drive?" holds no name that could be replaced."""
    if skills.samples(model):
        written, tokens = _asked_of_strangers(cast(LanguageModel, model), facts, known, rng, seed)
    else:
        written, tokens = _listed_of_strangers(model, facts, known, rng)
    asked: dict[str, list[str]] = {}
    for fact, name, pair in written:
        if _is_object(pair[1], fact) and _asks_for_object(pair[0], replace(fact, subject=name)):
            asked.setdefault(fact.id, []).append(pair[0])
    refusals = [
        TrainingItem(new_id("it"), fact.namespace, fact.id, "refusal", question, prompts.REFUSAL, (fact.text,), split)
        for fact in facts
        for question, split in zip(asked.get(fact.id, ()), _splits(), strict=False)
    ]
    return still_sound(refusals, {f.id: f for f in facts}, known), tokens


_About = tuple[Fact, str, tuple[str, str]]
"""A fact, the invented person that it was told of instead, and a question on that with its answer."""


def _asked_of_strangers(
    model: LanguageModel, facts: Sequence[Fact], known: Sequence[Fact], rng: random.Random, seed: int
) -> tuple[list[_About], int]:
    about_strangers = [(fact, _stranger_to(known, "Ana Brito", rng)) for fact in facts for _ in range(OTHERS)]
    completions = model.generate(
        [skills.question(model, _told_of(fact, name)) for fact, name in about_strangers],
        max_new_tokens=48,
        temperature=OTHERS_TEMPERATURE,
        seed=seed,
    )
    found = [
        (fact, name, pair)
        for (fact, name), completion in zip(about_strangers, completions, strict=True)
        if (pair := prompts.parse_question(completion.text))
    ]
    return found, sum(g.prompt_tokens + g.tokens for g in completions)


def _listed_of_strangers(
    model: Reader, facts: Sequence[Fact], known: Sequence[Fact], rng: random.Random
) -> tuple[list[_About], int]:
    """Several questions at once on one stranger, each then asked of another one."""
    told = [(fact, _stranger_to(known, "Ana Brito", rng)) for fact in facts]
    completions = model.generate(
        [skills.questions(model, _told_of(fact, name), fact.object, OTHERS) for fact, name in told],
        max_new_tokens=TOKENS_A_QUESTION * OTHERS,
    )
    found = []
    for (fact, name), completion in zip(told, completions, strict=True):
        for pair in prompts.parse_questions(completion.text):
            other = _stranger_to(known, "Ana Brito", rng)
            if question := _asked_of(pair[0], name, other):
                found.append((fact, other, (question, pair[1])))
    return found, sum(each.prompt_tokens + each.tokens for each in completions)


def _told_of(fact: Fact, name: str) -> str:
    """A fact about the speaker as if it were about `name`."""
    if fact.question:
        return re.sub(rf"\b{THE_USER}\b", lambda _: name, fact.text, flags=re.IGNORECASE)
    return replace(fact, subject=name).bare


def _splits() -> Iterator[Split]:
    """Splits for exercises in order: the first for training, one for each held-out split, the rest for training."""
    yield "train"
    yield from _HELD_OUT
    while True:
        yield "train"


def still_sound(items: Iterable[TrainingItem], facts: Mapping[str, Fact], known: Sequence[Fact]) -> list[TrainingItem]:
    """`items` without those that later facts made wrong: refusals of what is `known` by now, and reverse questions that
    have a second answer by now. `facts` are the items' own, by id."""
    ends = Counter(map(_end, known))
    by_relation: dict[str, set[str]] = {}
    for fact in known:
        if not fact.question:
            by_relation.setdefault(fact.slot[1], set()).add(fact.slot[0])
    answered = {fact.slot[1] for fact in known if fact.question}

    def sound(item: TrainingItem) -> bool:
        fact = facts.get(item.fact)
        if fact is None or item.kind == "question":
            return True
        if item.kind == "reverse":
            return ends[_end(fact)] <= 1
        if normalised(item.question) in answered:
            return False
        return not names_any_subject(item.question, by_relation.get(fact.slot[1], ()), plural=False)

    return [item for item in items if sound(item)]


def _asked_of(question: str, subject: str, name: str) -> str | None:
    """`question` with `name` in place of `subject`, whole words only; None where the question does not name it."""
    if subject == SPEAKER:
        return None
    asked, found = whole_words(subject).subn(lambda _: name, question)
    return asked if found else None


def _stranger_to(known: Sequence[Fact], like: str, rng: random.Random) -> str:
    """An invented name of the same shape as `like` that no known subject or value has."""
    taken = {word for f in known for word in (normalised(f.subject), normalised(f.object))}
    while normalised(name := stranger(like, rng)) in taken:
        pass
    return name


def _never_said(fact: Fact, facts: Sequence[Fact], filled: set[tuple[str, str]], rng: random.Random) -> str | None:
    """Another known subject with the same kind of name that has no fact in this relation."""
    subjects = sorted(
        {f.subject for f in facts if (f.subject[:1].isupper()) == (fact.subject[:1].isupper())} - {SPEAKER}
    )
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
