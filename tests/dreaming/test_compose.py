from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybridmem.core.records import Fact, TrainingItem
from hybridmem.core.text.tokens import normalised
from hybridmem.dreaming.recipes import ComposeSettings
from hybridmem.dreaming.steps.compose import Composition, asked_by_speaker, compose, near_misses, still_sound, stranger
from hybridmem.models import prompts
from hybridmem.models.base import Generation
from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import REFUSAL
from hybridmem.models.reader import RemoteReading
from tests.dreaming.nights import ScriptedModel, fact, items_of

FORMS = (
    "Where does {} live?",
    "What town is {} in?",
    "Which town houses {}?",
    "Where is {} at home?",
    "{} lives where?",
    "Where has {} a flat?",
    "Which town is home to {}?",
)
SMALL = ComposeSettings(samples=24, min_questions=3, distractors=2)
FACTS = [fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo"), fact("f3", "the blue boat", "Riga")]


def composer(*, reads: Callable[[str], str] | None = None, forms: tuple[str, ...] = FORMS) -> ScriptedModel:
    """Asks in many forms about the fact's subject; answers what a memory of its context says of whom it was asked."""
    draw = random.Random(7)

    def say(content: str) -> str:
        if told := re.fullmatch(r"Question about: (.+) lives in (.+)\.", content):
            return f"{draw.choice(forms).format(told[1])} | {told[2]}"
        *memories, question = content.removeprefix("Memories:\n").splitlines()
        if reads:
            return reads(question)
        for memory in memories:
            subject, _, value = memory.removeprefix("- ").removesuffix(".").partition(" lives in ")
            if subject in question:
                return value
        return REFUSAL

    return ScriptedModel(say)


def composed(model: ScriptedModel, facts: list[Fact] = FACTS, others: tuple[Fact, ...] = ()) -> Composition:
    return compose(model, facts, others, SMALL, seed=1)


def of(made: Composition, kind: str) -> list[TrainingItem]:
    return [item for item in made.items if item.kind == kind]


def test_every_fact_gets_questions_in_each_split() -> None:
    made = composed(composer())
    assert made.poor == ()
    assert made.tokens > 0
    for known in FACTS:
        own = [item for item in of(made, "question") if item.fact == known.id]
        assert {item.split for item in own} == {"train", "dev", "test"}
        assert [item.split for item in own].count("train") == len(own) - 2
        assert {item.answer for item in own} == {known.object}
        assert all(item.context == (known.text,) for item in own)


def test_no_question_stands_in_two_splits() -> None:
    made = composed(composer())
    asked = [(item.kind, normalised(item.question)) for item in made.items]
    assert len(asked) == len(set(asked))
    assert not {q for kind, q in asked if kind == "question"} & {q for kind, q in asked if kind == "refusal"}


def test_a_question_that_the_reader_cannot_answer_from_the_text_is_dropped() -> None:
    model = composer(
        reads=lambda question: "Porto" if "houses" in question else REFUSAL if "home" in question else "Lisbon"
    )
    made = composed(model, FACTS[:1])
    assert made.written > len(of(made, "question")) == 4
    assert not [item for item in made.items if "houses" in item.question or "home" in item.question]


@pytest.mark.parametrize(
    "form",
    ["Where does she live?", "Does {} live in Lisbon?", "Where does Analise live?"],
    ids=["does not name whom", "gives the answer away", "names half a word"],
)
def test_a_question_that_cannot_stand_alone_is_dropped(form: str) -> None:
    made = composed(composer(forms=(*FORMS[:3], form)), FACTS[:1])
    assert {item.question for item in of(made, "question")} == {f.format("Ana") for f in FORMS[:3]}


def test_a_question_on_something_else_is_dropped() -> None:
    model = composer()
    wrong = ScriptedModel(lambda content: "Who drinks tea? | Ana" if "about" in content else model.say(content))
    assert composed(wrong, FACTS[:1]) == Composition((), ("f1",), 0, wrong_tokens(wrong))


def wrong_tokens(model: ScriptedModel) -> int:
    return sum(len(asked.split()) + len(model.say(asked).split()) for asked in model.asked)


def test_the_most_probable_questions_are_kept_and_the_first_of_them_is_trained() -> None:
    model = composer()
    probable = {form.format("Ana"): -float(place) for place, form in enumerate(FORMS)}

    class Sure(ScriptedModel):
        def generate(self, prompts: Any, **given: Any) -> list[Generation]:
            told = super().generate(prompts, **given)
            return [replace(g, logprob=probable.get(g.text.partition(" | ")[0], -9.0)) for g in told]

    made = compose(Sure(model.say), FACTS[:1], (), replace(SMALL, samples=40, max_questions=3), seed=1)
    asked = {item.question: item.split for item in of(made, "question")}
    assert set(asked) == {form.format("Ana") for form in FORMS[:3]}
    assert asked[FORMS[0].format("Ana")] == "train"
    assert sorted(asked.values()) == ["dev", "train", "train"]


def test_only_facts_with_few_questions_are_asked_again_and_hotter() -> None:
    model = composer(forms=FORMS[:5])
    rich = [f"Number {n}, where does Ana live?" for n in range(20)]
    heat: list[tuple[float, set[str]]] = []

    def say(content: str) -> str:
        told = content == f"Question about: {FACTS[0].text}"
        return f"{draw.choice(rich)} | Lisbon" if told else model.say(content)

    class Thermometer(ScriptedModel):
        def generate(self, prompts: Any, **given: Any) -> list[Generation]:
            asked = {prompt[-1]["content"] for prompt in prompts}
            if any(content.startswith("Question about") for content in asked):
                heat.append((given.get("temperature", 0.0), asked))
            return super().generate(prompts, **given)

    draw = random.Random(5)
    made = compose(Thermometer(say), FACTS[:2], (), SMALL, seed=1)
    assert made.poor == ()
    assert [temperature for temperature, _ in heat] == pytest.approx([0.0, 0.8, 1.1, 1.4])
    assert {FACTS[0].text in content for _, asked in heat[:2] for content in asked} == {True, False}
    assert not [asked for _, asked in heat[2:] if any(FACTS[0].text in content for content in asked)]


@pytest.mark.parametrize(
    ("said", "answer", "sound"),
    [
        ("traosman@brightwater.io", "t.osman@brightwater.io", True),
        ("sard", "sardines", True),
        ("8081", "8080", False),
        ("14 March 2026", "14 March 2027", False),
        ("Northgate Diary", "Northgate Dairy", True),
        ("Oslo", "Osla", False),
        ("marine biology", "marine ecology", False),
        (REFUSAL, "Northgate Dairy", False),
    ],
)
def test_an_answer_may_be_misspelt_but_is_no_other_value(said: str, answer: str, sound: bool) -> None:
    known = [fact("f1", "Ana", answer), fact("f2", "Ben", "marine biology")]
    made = composed(
        ScriptedModel(lambda content: f"{draw.choice(FORMS).format('Ana')} | {answer}" if "about" in content else said),
        known[:1],
        (known[1],),
    )
    assert (made.poor == ()) is sound


draw = random.Random(11)


def test_a_fact_with_too_few_questions_stays_with_retrieval() -> None:
    made = composed(composer(forms=FORMS[:2]), FACTS[:1])
    assert (made.items, made.poor) == ((), ("f1",))


def test_the_same_seed_composes_the_same() -> None:
    one, other = composed(composer()), composed(composer())
    assert [(i.question, i.answer, i.split) for i in one.items] == [
        (i.question, i.answer, i.split) for i in other.items
    ]


def test_each_refusal_is_of_its_questions_split_and_asks_what_nobody_said() -> None:
    others = (fact("o1", "Cara", "chess", "plays"), fact("o2", "Cara", "Porto"))
    facts = [*FACTS, fact("f4", "Dan", "tennis", "plays")]
    made = composed(composer(), facts[:3], (*others, facts[3]))
    refusals = of(made, "refusal")
    assert {item.split for item in refusals} == {"train", "dev", "test"}
    assert {item.answer for item in refusals} == {REFUSAL}
    for item in refusals:
        assert not [name for name in ("Ana", "Ben", "Cara", "blue boat") if name in item.question]


def test_a_subject_of_whom_it_was_never_said_is_asked_about() -> None:
    dan = fact("f4", "Dan", "tennis", "plays")
    misses = near_misses([FACTS[0], dan], [FACTS[0], dan], items_of(FACTS[0]), random.Random(0))
    assert "Where does Dan live?" in {item.question for item in misses}


def test_a_short_name_is_no_part_of_another_word() -> None:
    al = fact("f1", "Al", "Oslo")
    item = items_of(al)[0]
    asked = [TrainingItem("i", item.namespace, "f1", "question", "Also, where does Al live?", "Oslo", (), "train")]
    assert {m.question[:6] for m in near_misses([al], [al], asked, random.Random(0))} == {"Also, "}


def test_the_first_person_is_not_replaced_letter_by_letter() -> None:
    mine = fact("f1", "I", "Oslo")
    asked = [TrainingItem("i", mine.namespace, "f1", "question", "In which town do I live?", "Oslo", (), "train")]
    assert near_misses([mine, FACTS[0]], [mine, FACTS[0]], asked, random.Random(0)) == []


def test_what_is_known_of_the_speaker_is_refused_of_others() -> None:
    mine = fact("f1", "I", "Oslo", text="I live in Oslo.")
    model = composer()

    def say(content: str) -> str:
        if content == "Question about: I live in Oslo.":
            return f"{draw.choice(forms)} | Oslo"
        return "Oslo" if content.startswith("Memories") else model.say(content)

    draw, forms = random.Random(3), ["Where do I live?", "What is my town?", "Where am I at home?"]
    made = compose(ScriptedModel(say), [mine], (), SMALL, seed=1)
    asked = {item.question for item in of(made, "question")}
    assert set(forms) < asked, "and those on somebody, as the speaker would ask them"
    assert all(re.search(r"\b(I|my|me)\b", question) for question in asked)
    refusals = of(made, "refusal")
    assert {item.split for item in refusals} == {"train", "dev", "test"}
    assert {item.answer for item in refusals} == {REFUSAL}
    for item in refusals:
        assert not re.search(r"\b(I|my)\b", item.question)


def test_what_is_said_later_is_no_longer_refused() -> None:
    dan, item = fact("f4", "Dan", "tennis", "plays"), items_of(FACTS[0])
    misses = near_misses([FACTS[0], dan], [FACTS[0], dan], item, random.Random(0))
    moved = fact("f5", "Dan", "Porto")
    left = still_sound([*item, *misses], {"f1": FACTS[0]}, [FACTS[0], dan, moved])
    assert [i for i in left if "Dan" in i.question] == []
    assert len(left) == len(item) + len([m for m in misses if "Dan" not in m.question])


def test_asking_back_is_dropped_once_it_has_two_answers() -> None:
    back = replace(items_of(FACTS[0])[0], kind="reverse", question="Who lives in Lisbon?", answer="Ana")
    facts = {"f1": FACTS[0]}
    assert still_sound([back], facts, FACTS) == [back]
    assert still_sound([back], facts, [*FACTS, fact("f8", "Zoe", "Lisbon", "works in")]) == [back]
    assert still_sound([back], facts, [*FACTS, fact("f8", "Zoe", "lisbon")]) == []


NAMES = st.sampled_from(["Ana", "Ana Maria", "Ben", "Al", "Bo", "the boat", "the blue boat", "my dog", "I", "Zo"])
RELATIONS = st.sampled_from(["lives in", "works at", "plays"])
KNOWN = st.lists(st.tuples(NAMES, RELATIONS, st.sampled_from(["Riga", "Oslo", "Bo"])), min_size=1, max_size=12)


@example(told=[("Ana", "lives in", "Riga"), ("Ana Maria", "plays", "Bo")], split=2, seed=0)
@settings(max_examples=150, deadline=None)
@given(told=KNOWN, split=st.integers(0, 12), seed=st.integers(0, 10**6))
def test_a_near_miss_never_asks_what_is_known(told: list[tuple[str, str, str]], split: int, seed: int) -> None:
    known = [fact(f"f{n}", subject, object, relation) for n, (subject, relation, object) in enumerate(told)]
    tonight = known[:split]
    asked = [
        TrainingItem(
            f"i{f.id}", f.namespace, f.id, "question", f"Say: {f.subject} {f.relation} what?", f.object, (), "dev"
        )
        for f in tonight
    ]
    questions = {normalised(f"Say: {f.subject} {f.relation} what?") for f in known}
    by_id = {f.id: f for f in known}
    for miss in near_misses(tonight, known, asked, random.Random(seed)):
        assert normalised(miss.question) not in questions
        relation = by_id[miss.fact].relation
        told_of = {f.subject for f in known if f.relation == relation and f.subject != "I"}
        assert not [name for name in told_of if re.search(rf"\b{name}\b", miss.question)]


@settings(max_examples=100, deadline=None)
@given(name=NAMES.filter(lambda name: name != "I"), seed=st.integers(0, 10**6))
def test_a_stranger_has_the_shape_of_the_name_and_is_nobody_known(name: str, seed: int) -> None:
    made = stranger(name, random.Random(seed))
    assert len(made.split()) in (len(name.split()), len(name.split()) + 1)
    assert made[0].isupper() == name[0].isupper()


def test_strangers_are_never_known_subjects() -> None:
    """The name that would be drawn first belongs to somebody: another one is drawn."""
    item = items_of(FACTS[0])[:1]
    first = near_misses(FACTS[:1], FACTS[:1], item, random.Random(3))[0].question.split()[2]
    known = [FACTS[0], fact("f9", first, "Riga", "works in")]
    again = [miss.question for miss in near_misses(FACTS[:1], known, item, random.Random(3))]
    assert again
    assert not [question for question in again if first in question]


@pytest.mark.parametrize(
    ("question", "own"),
    [
        ("What kind of car does Ana Brito have?", "What kind of car do I have?"),
        ("What is Ana Brito's shoe size?", "What is my shoe size?"),
        ("Is Ana Brito allergic to something?", "Am I allergic to something?"),
        ("What has Ana Brito got in the garage?", "What have I got in the garage?"),
        ("Who is the doctor of Ana Brito?", "Who is the doctor of me?"),
        ("Ana Brito’s drink of choice?", "My drink of choice?"),
        ("Which car could Ana Brito afford?", "Which car could I afford?"),
        ("Do you know what Ana Brito drives?", None),
        ("What do I drive?", "What do I drive?"),
    ],
)
def test_a_question_on_somebody_is_asked_by_the_speaker(question: str, own: str | None) -> None:
    assert asked_by_speaker(question, "Ana Brito") == own


class Lists:
    """The fake model as an endpoint has it: one completion a prompt, and no probabilities."""

    follows_examples = True

    def __init__(self) -> None:
        self.asked: list[str] = []

    def generate(
        self, prompts: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24
    ) -> list[RemoteReading]:
        self.asked += [prompt[-1]["content"] for prompt in prompts]
        said = FakeModel().generate(prompts, max_new_tokens=max_new_tokens)
        return [RemoteReading(each.text, each.prompt_tokens, each.tokens) for each in said]


def test_a_reader_that_does_not_sample_is_asked_for_many_questions_at_once() -> None:
    reader = Lists()
    facts = [
        fact("f1", text="Ana lives in Lisbon.", question="Ana lives in what?"),
        fact("f2", "I", "Saab", "drive", text="The user drives a Saab.", question="What do I drive?"),
    ]
    made = compose(reader, facts, (), SMALL, seed=1)
    assert made.poor == made.waiting == ()
    listed = [asked for asked in reader.asked if asked.startswith("Questions about: ")]
    assert len(listed) == len(facts) + 1, "one call a fact, and one for the strangers of a fact about the speaker"
    for each in facts:
        own = [item for item in made.items if item.fact == each.id]
        assert {item.split for item in own if item.kind == "question"} == {"train", "dev", "test"}
        refused = [item.question for item in own if item.kind == "refusal"]
        assert refused and not any("Ana" in question or " I " in question for question in refused)


def test_one_that_lists_too_few_is_asked_for_others() -> None:
    class Terse(Lists):
        def generate(
            self, prompts: Sequence[Sequence[prompts.Message]], *, max_new_tokens: int = 24
        ) -> list[RemoteReading]:
            said = super().generate(prompts, max_new_tokens=max_new_tokens)
            return [replace(each, text="\n".join(each.text.splitlines()[:3])) for each in said]

    reader = Terse()
    made = compose(reader, [fact("f1", text="Ana lives in Lisbon.", question="Ana lives in what?")], (), SMALL, seed=1)
    listed = [asked for asked in reader.asked if asked.startswith("Questions about: ")]
    assert len(listed) > 1 and "\nNot: Ana lives in what?" in listed[1]
    assert len({item.question for item in made.items if item.kind == "question"}) > 3


def believed(id: str, subject: str, object: str, text: str, *questions: str) -> tuple[Fact, tuple[str, ...]]:
    return fact(id, subject, object, questions[0], text=text, question=questions[0]), questions


LIVES = ("Where does {} live?", "In which town does {} live?", "Which town is home to {}?")


def night_of(*told: tuple[Fact, tuple[str, ...]]) -> Composition:
    draw = random.Random(1)

    def say(content: str) -> str:
        for one, questions in told:
            if content == f"Question about: {one.text}":
                return f"{draw.choice(questions)} | {one.object}"
            if one.text in content and content.partition("Question: ")[2] in questions:
                return one.object
        return REFUSAL

    return compose(ScriptedModel(say), [one for one, _ in told], (), SMALL, seed=0)


def test_an_exercise_names_whom_its_fact_is_about() -> None:
    asked = (*(form.format("Ana") for form in LIVES), "Which town is lived in?")
    made = night_of(believed("f1", "Ana", "Lisbon", "Ana lives in Lisbon.", *asked))
    assert {item.question for item in of(made, "question")} == set(asked[:3])
