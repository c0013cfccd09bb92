"""The guard in code: what a message denies, wishes, asks, quotes or does not have is not believed of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.records import Episode
from hybridmem.dreaming.reading.source import Source, sources
from hybridmem.dreaming.reading.support import doubt
from hybridmem.models import prompts

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
VERBS = ("live in", "work at", "play", "drive", "study", "collect")
WORDS = ("Porto", "Acme", "chess", "Oslo", "stamps", "Riga")


def source(text: str, *before: str, **values: object) -> Source:
    given: dict[str, object] = {"at": NOON, "recorded_at": NOON}
    return Source(Episode("e1", ("ana",), text, **given | values), text, before)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "proposition"),
    [
        ("I'm not allergic to peanuts. It's cashews I can't have.", "The user is allergic to peanuts."),
        ("I never worked at Acme.", "The user worked at Acme."),
        ("I dont eat meat anymore, sorry", "The user eats meat."),
        ("Nobody in my family plays chess.", "The user's family plays chess."),
        ("The shop is no longer in Hill Street", "The shop is in Hill Street."),
        ("We meet at six by the fountain, not the tram stop.", "They meet at the tram stop."),
        ("It's not true that I live in Porto.", "The user lives in Porto."),
    ],
)
def test_a_denial_yields_no_positive(text: str, proposition: str) -> None:
    assert doubt(proposition, source(text)) == "reversed"


@pytest.mark.parametrize(
    ("text", "proposition"),
    [
        ("If I lived in Porto, I'd surf every day.", "The user lives in Porto."),
        ("If the bank says yes, we own 14 Orchard Rise.", "The user owns 14 Orchard Rise."),
        ("I wish I worked at Google.", "The user works at Google."),
        ("Pretend that I live in Porto.", "The user lives in Porto."),
        ("I'm moving to Mars. Just kidding!", "The user is moving to Mars."),
        ("Do I live in Porto?", "The user lives in Porto."),
        ('My line is: "I have buried three husbands and leave for Brazil."', "The user leaves for Brazil."),
    ],
)
def test_what_is_not_so_is_not_believed(text: str, proposition: str) -> None:
    assert doubt(proposition, source(text)) == "unreal"


@pytest.mark.parametrize(
    ("text", "proposition"),
    [
        ("We fly on Friday.", "Zed flies on Friday."),
        ("The rent is 620 now.", "The rent is 650 now."),
        ("I have a dog.", "The user has a dog since 2019."),
        ("The exam went well.", "The exam went well on 2026-06-30."),
    ],
)
def test_names_numbers_and_dates_must_have_been_said(text: str, proposition: str) -> None:
    assert doubt(proposition, source(text)) == "invented"


@pytest.mark.parametrize(
    ("text", "before", "proposition"),
    [
        ("Mila's nursery closes at 16:30 now, not 17:30.", "", "Mila's nursery closes at 16:30."),
        ("My exam is next Friday.", "", "The user's exam is on 2026-05-15."),
        (
            "the 17th, Dr. Belkacem still",
            "When is your operation?",
            "The operation with Dr. Belkacem is on 2026-05-17.",
        ),
        ("I don't smoke, but I drink coffee.", "", "The user drinks coffee."),
        ("about forty pages in", "", "The user is about 40 pages in."),
        ("My dentist refused to see me.", "", "The user's dentist did not see the user."),
    ],
)
def test_what_was_said_passes(text: str, before: str, proposition: str) -> None:
    assert doubt(proposition, source(text, before)) is None


ALTERED = (
    "Ana used to live in Porto.", "Ana might live in Porto.", "Ana should live in Porto by now.",
    "Ana probably lives in Porto.", "Perhaps Ana lives in Porto.", "Ana wants to live in Porto.",
    "Ana tried to live in Porto.", "Ana refuses to live in Porto.", "Ana stopped living in Porto.",
    "Ana almost lives in Porto.", "It seems Ana lives in Porto.", "I doubt that Ana lives in Porto.",
    "Whether Ana lives in Porto is unclear.", "I wonder whether Ana lives in Porto.", "I thought Ana lives in Porto.",
    "Ivo thinks Ana lives in Porto.", "I am told Ana lives in Porto.", "Ivo denied that Ana lives in Porto.",
    "It's a lie that Ana lives in Porto.", "Forget that Ana lives in Porto.", "Were Ana to live in Porto, she'd surf.",
)  # fmt: skip
"""What stands before the statement makes another one of it."""
NOT_STATED = (
    "In my dream Ana lives in Porto.", "In the novel, Ana lives in Porto.", "Write a poem in which Ana lives in Porto.",
    "Translate into French: Ana lives in Porto.", "For example, Ana lives in Porto.",
    "Repeat after me: Ana lives in Porto.", "> Ana lives in Porto.", "On Monday Ivo wrote: Ana lives in Porto.",
    "Subject: Ana lives in Porto",
    "Let's say Ana lives in Porto.", "Not true: Ana lives in Porto.", "When Ana lives in Porto one day, we'll visit.",
)  # fmt: skip
"""The sentence is somebody's story, task, example or quotation."""
RETRACTED = (
    "Ana lives in Porto, which is nonsense.", "Ana lives in Porto (not really).", "Ana lives in Porto, I don't think.",
    "Ana lives in Porto /s", "Ana lives in Porto... not!", "Ana lives in Porto, said no one ever.",
    "That Ana lives in Porto is false.",
)  # fmt: skip
ELSEWHERE = (
    "Ana nicht, Ana lebt nicht in Porto.", "Ana n'habite pas à Porto.", "Ana non vive a Porto.",
    "Ana não vive em Porto.", "Ana no vive en Porto.", "Ana woont niet in Porto.",
)  # fmt: skip


@pytest.mark.parametrize("text", [*ALTERED, *NOT_STATED, *RETRACTED, *ELSEWHERE])
def test_what_is_altered_not_stated_or_taken_back_is_not_believed(text: str) -> None:
    assert doubt("Ana lives in Porto.", source(text)) in ("unreal", "reversed")


@pytest.mark.parametrize("text", ALTERED[:12])
def test_a_proposition_may_say_the_other_thing_itself(text: str) -> None:
    assert doubt(text, source(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "Ana still lives in Porto.",
        "I'm sure Ana lives in Porto.",
        "No doubt Ana lives in Porto.",
        "Don't forget that Ana lives in Porto.",
        "I never knew that Ana lives in Porto!",
        "Can't believe Ana lives in Porto now!",
        "Ana lives in Porto and might move to Riga.",
        "Ana lives in Porto, maybe for good.",
        "Ana lives in Porto. I doubt it rains there.",
        "Ana finally lives in Porto, which she always wanted to do.",
        "Ana lives in Porto, should you need her.",
        "Correct, Ana lives in Porto.",
    ],
)
def test_a_doubt_about_something_else_is_none(text: str) -> None:
    assert doubt("Ana lives in Porto.", source(text)) is None


def test_what_others_say_about_the_user_is_not_the_users_word() -> None:
    said = source("You live in Porto.", role="assistant", trust="agent")
    assert doubt("The user lives in Porto.", said) == "not_theirs"
    assert said.speaker == "assistant"


@given(st.sampled_from(VERBS), st.sampled_from(WORDS), st.sampled_from(["do not", "don't", "never", "did not"]))
def test_no_negated_sentence_supports_its_positive(verb: str, word: str, negation: str) -> None:
    text = f"I {negation} {verb} {word}."
    assert doubt(f"The user {verb} {word}.", source(text)) is not None
    assert doubt(f"The user {negation} {verb} {word}.", source(text)) is None


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=6))
def test_pieces_hold_every_word_and_none_is_long(parts: list[str]) -> None:
    text = ". ".join(parts)
    cut = sources(Episode("e1", ("ana",), text or "x", at=NOON), ())
    assert "".join("".join(each.text for each in cut).split()) == "".join(text.split())
    assert all(len(each.text) <= 600 for each in cut)


def test_the_turns_before_are_read_with_their_speakers() -> None:
    asked = Episode("e0", ("ana",), "six or half six?", speaker="Elif", at=NOON)
    (read,) = sources(Episode("e1", ("ana",), "six", speaker="Hamza", at=NOON), [asked])
    assert read.before == ("Elif: six or half six?",)
    assert read.line == prompts.memory("six", speaker="Hamza", at=NOON)
