from __future__ import annotations

import pytest

from hybridmem.core.text.mentions import entity, mentions, name_parts, named
from hybridmem.core.text.tokens import query_terms


@pytest.mark.parametrize(
    ("text", "names", "maybe"),
    [
        ("I met Zane Kolu in Riga.", {"zane kolu", "riga"}, set()),
        ("Zane Kolu lives in Riga.", {"zane kolu", "riga"}, set()),
        ("Mira lives in Riga. Tea is nice.", {"riga"}, {"mira", "tea"}),
        ("Yesterday Ana left.", {"ana"}, set()),
        ("The Eiffel Tower is high.", {"eiffel tower"}, set()),
        ("I'm at Ana's, and I like it.", {"ana"}, set()),
        ("We saw the Bank of England and Leonardo da Vinci of old.", {"bank of england", "leonardo da vinci"}, set()),
        ("my flight QX-4821 and an A320 on 2026-03-01", {"qx-4821", "a320"}, set()),
        ("QX-4821 is late", {"qx-4821"}, set()),
        ('she said: "Mira came" - Ana, Ben and Cy', {"ana", "ben", "cy"}, {"mira"}),
        ("WHY DO YOU ALWAYS SHOUT AT ME SO LOUDLY", set(), set()),
        ("nothing here", set(), set()),
        ("", set(), set()),
    ],
)
def test_names_are_found_by_their_capitals(text, names, maybe):
    found = mentions(text)
    assert (set(found.names), set(found.maybe)) == (names, maybe)


def test_an_entity_has_one_spelling():
    assert {entity(name) for name in ("The Hague", "the hague", "The  Hague's", "Hague.")} == {"hague"}
    assert entity("Cafe\u0301 Luna") == entity("café luna")


def test_the_longest_known_name_wins_and_a_part_stands_in_for_its_whole():
    known = {"zane", "zane kolu", "mira sodo", "will", "new york"}
    parts = name_parts(known)
    assert named("does zane kolu know Sodo?", known, parts) == ["zane kolu", "mira sodo"]
    assert named("will zane go to new york", known, parts) == ["zane", "new york"]
    assert named("Did I ask Will?", known, parts) == ["will"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("Where does Ana live?", ["ana", "live"]),
        ("Ana's dog and o'neil's", ["ana", "dog", "o", "neil"]),
        ("to be", ["to", "be"]),
        ("QX-4821 v3.5 half-known", ["qx-4821", "v3.5", "half", "known"]),
        ("tea Tea TEA", ["tea"]),
        ("?!", []),
    ],
)
def test_query_terms(text, terms):
    assert query_terms(text) == terms
