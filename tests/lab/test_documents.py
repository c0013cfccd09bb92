"""What the training documents promise, on the shipped relations and on small ones with marked held-out forms."""

from __future__ import annotations

import json
import lzma
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs import values
from hybridmem.evaluation.memory_jobs.attribution_questions import NO, YES
from hybridmem.evaluation.memory_jobs.fact_generator import FactGenerator
from hybridmem.evaluation.memory_jobs.relations import FOLDER, HELD_OUT, load
from hybridmem.evaluation.memory_jobs.scenes import SceneWriter, estimated_tokens
from hybridmem.evaluation.memory_jobs.sentences import fill
from hybridmem.models import prompts
from lab.documents import Document, Mixture, evaluation_set, stream, world

MARK = "zqxj"
TEXT = Path(__file__).parents[3] / "shared" / "data" / "text"


def taken(count: int, seed: int = 1) -> list[Document]:
    return list(islice(stream(seed, None), count))


def exchanges(document: Document) -> Iterator[tuple[str, str]]:
    assert not isinstance(document, str)
    for user, assistant in zip(document[::2], document[1::2], strict=True):
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        yield user["content"], assistant["content"]


def test_the_same_seed_gives_the_same_documents() -> None:
    assert taken(200) == taken(200)
    assert taken(200) != taken(200, seed=2)


def test_every_answer_from_memories_stands_in_them_or_is_the_refusal() -> None:
    answered = refused = 0
    for document in taken(1500):
        first = next(exchanges(document))[0]
        if not first.startswith("Memories:"):
            continue
        memories = first.rpartition("\nQuestion: ")[0].lower()
        for _, answer in exchanges(document):
            if answer == prompts.REFUSAL:
                refused += 1
            elif answer in (YES, NO):
                assert len(memories) > 0
            else:
                assert answer.lower() in memories, (first, answer)
                answered += 1
    assert 0.18 < refused / (answered + refused) < 0.32


def test_the_facts_stand_in_their_text() -> None:
    found = 0
    for document in taken(1500):
        for user, answer in exchanges(document):
            if not user.startswith("Facts in: ") or answer == prompts.NO_FACTS:
                continue
            facts = prompts.parse_facts(answer)
            assert len(facts) == len(answer.splitlines())
            for subject, _, value in facts:
                assert value.lower() in user.lower()
                assert subject == "I" or subject.lower() in user.lower()
                found += 1
    assert found > 250


def test_a_question_and_its_answer_can_be_parsed() -> None:
    for document in taken(1000):
        for user, answer in exchanges(document):
            if user.startswith("Question about: "):
                parsed = prompts.parse_question(answer)
                assert parsed is not None
                assert parsed[1].lower() in user.lower()


def test_documents_keep_to_their_length() -> None:
    for document in taken(1000):
        assert sum(estimated_tokens(user + answer) for user, answer in exchanges(document)) < 384


def test_the_same_world_is_known_whatever_the_seed() -> None:
    facts = world()
    assert len(facts) == len({(fact.subject, fact.relation.name) for fact in facts}) == 400
    assert {fact.relation for fact in facts} <= set(load())
    known = {fact.value for fact in facts}
    for document in taken(500):
        user, answer = next(exchanges(document))
        if user.startswith("Question: "):
            assert answer == prompts.REFUSAL or answer in known


@pytest.mark.parametrize("kind", sorted(values.kinds() - values.CLOSED))
def test_held_out_values_are_never_trained(kind: str) -> None:
    rng = Random(5)
    draw = (values.sample, values.sample_subject)
    trained = {one(kind, rng) for one in draw for _ in range(400)}
    assert trained.isdisjoint(one(kind, rng, held_out=True) for one in draw for _ in range(200))


def test_held_out_forms_are_never_trained(tmp_path: Path) -> None:
    shipped = load(marked_relations(tmp_path))
    shown = str(list(islice(stream(1, None, relations=shipped), 1000)))
    assert MARK not in shown
    asked = evaluation_set(1, per_job=20, relations=shipped)
    for job in ("read_1", "closed_world", "facts", "question"):
        assert all(MARK in case.messages[-1]["content"] for case in asked[job])


def test_the_evaluation_asks_every_job() -> None:
    cases = evaluation_set(7, per_job=15)
    assert cases == evaluation_set(7, per_job=15)
    assert cases != evaluation_set(7, per_job=15, known_forms=True)
    assert set(cases) == {
        "read_1", "read_4", "read_6", "read_8", "read_12", "read_updates", "read_open", "read_unanswerable",
        "who_said", "when_said", "yes_no",
        "closed_world", "closed_unknown", "facts", "no_facts", "question",
    }  # fmt: skip
    for job, some in cases.items():
        assert len(some) == 15
        for case in some:
            prompt = case.messages[-1]["content"]
            if (number := job.removeprefix("read_")).isdigit():
                assert prompt.count("\n- ") == int(number)
            if job in ("read_unanswerable", "closed_unknown"):
                assert case.expected == prompts.REFUSAL
            elif job.startswith("read_") or job in ("who_said", "when_said", "question"):
                assert case.expected.lower() in prompt.lower()


def test_an_update_comes_after_what_it_replaces() -> None:
    writer = SceneWriter(FactGenerator(Random(3), load(), held_out=True))
    for _ in range(200):
        scene = writer.scene(5, updates=True)
        for fact in scene.facts:
            if fact.old:
                assert fact.old != fact.value
            if fact.old and fact.subject != SPEAKER:
                about = [line.lower() for line in scene.lines if fact.subject.lower() in line.lower()]
                *_, last = (at for at, line in enumerate(about) if fact.value.lower() in line)
                assert all(at <= last for at, line in enumerate(about) if fact.old.lower() in line)


def test_dated_memories_stand_in_order() -> None:
    writer = SceneWriter(FactGenerator(Random(3), load()))
    dated = 0
    for _ in range(500):
        lines = writer.scene(5).lines
        if all(line.startswith("[20") for line in lines):
            dates = [date.fromisoformat(line[1:11]) for line in lines]
            assert dates == sorted(dates)
            dated += 1
    assert dated > 20


@pytest.mark.parametrize(
    ("form", "subject", "value", "said"),
    [
        ("{s} works as a {o}.", "my sister", "illustrator", "My sister works as an illustrator."),
        ("{s} drives a {o}.", "Mira", "VW Polo", "Mira drives a VW Polo."),
        ("Once an {o}, always {s}.", "Tom", "union rep", "Once a union rep, always Tom."),
        ("So. {s} listens on {o}", "node-14", "80", "So. node-14 listens on 80"),
        ("Ask about {o}. {s} knows.", "our landlord", "rent", "Ask about rent. Our landlord knows."),
    ],
)
def test_a_filled_form_reads_as_english(form: str, subject: str, value: str, said: str) -> None:
    assert fill(form, subject, value) == said


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ('"{s} lives in {o}."', "'statements' needs at least 18 forms, has 1"),
        ('"{s} lives."', r"'statements' must contain \{o\} exactly once: '\{s\} lives.'"),
        ('"{s} | {o}"', "'statements' must have no '|'"),
        ('"{s} {o}", "{s} {o}"', "'statements' repeats a form"),
    ],
)
def test_a_bad_relation_is_named_with_its_file_and_rule(tmp_path: Path, broken: str, message: str) -> None:
    (tmp_path / "bad.toml").write_text(
        '[[relation]]\nname = "lives in"\nsubject = "person"\nobject = "city"\nsingle = true\n'
        f"statements = [{broken}]\n"
    )
    with pytest.raises(ValueError, match=rf"bad.toml: relation 'lives in': {message}"):
        load(tmp_path)


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('[[relation]]\nname = "x"\nsubject = "person"\nobject = "smell"\n')
    with pytest.raises(ValueError, match="'object' names the kind 'smell', which has no sampler"):
        load(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not TEXT.is_dir(), reason=f"no general text in {TEXT}")
def test_general_text_has_its_share_of_the_documents() -> None:
    general_text_has_its_share(TEXT, Mixture())


def test_general_text_of_small_files_has_its_share_of_the_documents(tmp_path: Path) -> None:
    prose = " ".join(f"Mira walked {number} miles to the harbour that day." for number in range(400))
    turns = [("USER" if number % 2 else "SYSTEM", f"A table for {number} people?") for number in range(100)]
    records = {"peps.jsonl.xz": {"text": prose.replace(". ", ".\n")}, "sgd_dialogues.jsonl.xz": {"turns": turns}}
    (tmp_path / "novels.txt.xz").write_bytes(lzma.compress(prose.encode()))
    for name, record in records.items():
        (tmp_path / name).write_bytes(lzma.compress(json.dumps(record).encode()))
    general_text_has_its_share(tmp_path, replace(Mixture(), real_text=0.0))


def general_text_has_its_share(folder: Path, mixture: Mixture) -> None:
    plain = [document for document in islice(stream(1, folder, mixture=mixture), 500) if isinstance(document, str)]
    others = ("tokens", "refusals", "sayings")
    share = mixture.general / sum(weight for name, weight in asdict(mixture).items() if name not in others)
    assert 0.5 * share < len(plain) / 500 < 2 * share
    assert all(250 < len(text) <= 700 for text in plain)


def marked_relations(folder: Path) -> Path:
    """The shipped relations with a mark at the end of every form that is held out."""
    for path in FOLDER.glob("*.toml"):
        out = []
        for table in tomllib.loads(path.read_text(encoding="utf-8"))["relation"]:
            out.append("[[relation]]")
            for key, given in table.items():
                kept = HELD_OUT.get(key, 0)
                if kept and given:
                    given = [*given[:-kept], *map(marked, given[-kept:])]
                out.append(f"{key} = {toml(given)}")
        (folder / path.name).write_text("\n".join(out), encoding="utf-8")
    return folder


def marked(form: str) -> str:
    """`form` with the mark as its last word."""
    return f"{form[:-1]} {MARK}{form[-1]}" if form[-1] in ".?" else f"{form} {MARK}"


def toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
