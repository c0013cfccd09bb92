"""A small reader's dates are held to what was said."""

from __future__ import annotations

import pytest

from hybridmem.dreaming.reading.dating import as_said
from tests.dreaming.reading.test_support import source


@pytest.mark.parametrize(
    ("text", "proposition", "held"),
    [
        ("Jules turns 6 on Saturday.", "Jules turns 6 on Saturday 2026-05-04.", "Jules turns 6 on Saturday."),
        ("Jules turns 6 on sat", "Jules turns 6 on Saturday, 5 May 2026.", "Jules turns 6 on Saturday."),
        ("Their contract ends 31 March.", "The contract ends on 31 March 2026.", "The contract ends on 31 March."),
        ("His wife is due in April.", "His wife is due in April 2026.", "His wife is due in April."),
        ("Launch is the 14th.", "The launch is on 2026-11-14.", "The launch is on the 14th."),
        ("We move on the 1st of June.", "The user moves on 2026-05-04.", "The user moves."),
        ("The exam went well.", "The exam went well in June 2024.", "The exam went well."),
    ],
)
def test_what_nobody_said_of_time_is_left_out(text: str, proposition: str, held: str) -> None:
    assert as_said(proposition, source(text)) == held


@pytest.mark.parametrize(
    ("text", "proposition"),
    [
        ("We fly tomorrow.", "The user flies on 2026-05-05."),
        ("We fly on 9 May 2026.", "The user flies on 2026-05-09."),
        ("Cooked risotto for Ana.", "The user cooked risotto for Ana on 2026-05-04."),
        ("I moved last month.", "The user moved in April 2026."),
        ("My exam is next Friday.", "The user's exam is on 2026-05-08."),
        ("I have lived here since June 2019.", "The user has lived here since June 2019."),
        ("Ana has a dog.", "Ana has a dog."),
    ],
)
def test_what_was_said_or_counted_to_is_kept(text: str, proposition: str) -> None:
    assert as_said(proposition, source(text)) == proposition
