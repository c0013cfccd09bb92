"""Words of every script, for the index and for queries alike."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.text.tokens import (
    composed,
    has_other_forms,
    has_visible,
    index_tokens,
    normalised,
    query_terms,
    tokens,
)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("今天玩成语接龙游戏", "成语接龙"),
        ("今日は成語しりとりをした", "しりとり"),
        ("오늘 끝말잇기 게임을 했다", "게임"),
        ("วันนี้กินข้าวผัด", "ข้าวผัด"),
        ("मैं पोर्टो में रहता हूँ", "पोर्टो"),
        ("我有一只猫", "猫"),
        ("I write C++ at work.", "C++"),
        ("I write C# at home.", "C#"),
        ("We use .NET here.", ".NET"),
        ("party🎉tonight", "🎉"),
        ("Ana is in the café", "cafe\u0301"),
        ("ｆｕｌｌ width", "full"),
        ("Bahnhofstraße 5", "BAHNHOFSTRASSE"),
        ("ΟΔΥΣΣΕΥΣ", "Οδυσσευς"),
        ("Łódź is cold", "Lodz"),
        ("Đà Nẵng", "da nang"),
        ("København", "kobenhavn"),
        ("İsmim Işık", "isik"),
        ("Œuvre", "oeuvre"),
        ("من کتاب می‌خوانم", "كتاب"),
        ("أسكن في القاهرة", "القاهره"),
        ("room ١٢٣", "123"),
        ("my fer\u00adret", "ferret"),
    ],
)
def test_what_is_asked_is_among_the_words_of_what_was_said(said: str, asked: str) -> None:
    assert query_terms(asked)
    assert set(query_terms(asked)) <= set(index_tokens(said))


def test_names_with_signs_are_not_the_letter_alone() -> None:
    assert query_terms("C++") != query_terms("C#") != query_terms("C")
    assert tokens("C++17, g++ and a+b, #tag") == ["cplusplus", "17", "gplusplus", "and", "a", "b", "tag"]
    assert tokens("It ended...and .env") == ["it", "ended", "and", "dotenv"]


def test_ids_stay_in_one_piece_in_a_query() -> None:
    assert query_terms("Where is QX-4821 in José's café?") == ["qx-4821", "jose", "cafe"]


@given(st.text())
def test_one_name_however_it_is_composed(text: str) -> None:
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD")}
    assert len({normalised(form) for form in forms}) == 1
    assert len({tuple(tokens(form)) for form in forms}) == 1


@given(st.text(max_size=60))
def test_tokens_are_single_words(text: str) -> None:
    assert all(token and not token.isspace() for token in index_tokens(text))
    assert set(tokens(text)) <= set(index_tokens(text))


def test_what_is_not_seen_tells_no_words_apart() -> None:
    assert normalised("My PIN\u200b is\u00a0the fer\u00adret.\ufeff") == "my pin is the ferret"


@given(st.text(max_size=60))
def test_comparing_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)
    assert has_other_forms(text) or composed(text) == text


def test_visible() -> None:
    assert all(map(has_visible, ("a", "🎉", "\u3164a")))
    assert not any(map(has_visible, ("\u200b\u200d", "\x07", " \n", "\u0301", "\u3164\u115f", "\u2800")))
