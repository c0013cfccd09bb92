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
