"""A role's trust is one function's to decide, and what nobody has heard of is trusted least."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.core.roles import (
    TRUSTS,
    checked_trust,
    is_role,
    is_weaker,
    least_trusted,
    role_of,
    stored_trust,
    trust_of,
)


@pytest.mark.parametrize(
    ("named", "role", "trust"),
    [
        ("user", "user", "user"),
        (" Human ", "user", "user"),
        ("HumanMessageChunk", "user", "user"),
        ("assistant", "assistant", "agent"),
        ("AIMessageChunk", "assistant", "agent"),
        ("gemini", "assistant", "agent"),
        ("model", "assistant", "agent"),
        ("gpt", "assistant", "agent"),
        ("bot", "assistant", "agent"),
        ("system", "system", "tool"),
        ("developer", "system", "tool"),
        ("tool", "tool", "tool"),
        ("ipython", "tool", "tool"),
        ("observation", "tool", "tool"),
        ("critic", "critic", "web"),
        ("browser", "browser", "web"),
        ("message", "message", "web"),
    ],
)
def test_a_spelling_has_a_role_and_a_role_has_a_trust(named: str, role: str, trust: str) -> None:
    assert (role_of(named), trust_of(named), trust_of(role)) == (role, trust, trust)


@given(st.text(min_size=1).filter(lambda text: text.strip() and not is_role(text)))
def test_an_unknown_role_is_trusted_least(named: str) -> None:
    assert trust_of(named) == "web" or named.strip() in ("web", "user", "assistant", "system", "tool")


@pytest.mark.parametrize("named", ["", "  ", None, 7])
def test_what_is_no_word_is_no_role(named: object) -> None:
    with pytest.raises(InvalidInput):
        role_of(named)


def test_a_trust_has_four_values() -> None:
    assert [checked_trust(trust) for trust in TRUSTS] == list(TRUSTS)
    with pytest.raises(InvalidInput, match="user, agent, tool, web"):
        checked_trust("owner")
    assert (stored_trust("agent"), stored_trust("owner")) == ("agent", "web")


def test_the_weaker_of_two_counts() -> None:
    assert (least_trusted("user", "tool"), least_trusted("web", "agent")) == ("tool", "web")
    assert is_weaker("web", "tool")
    assert not is_weaker("agent", "agent")
