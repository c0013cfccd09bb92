"""A TOML table is put in and taken out, and every other byte stays."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.coding_agents.toml_tables import with_table, without_table
from hybridmem.core.errors import InvalidInput

PATH = ("mcp_servers", "hybridmem")
TABLE = {"command": "/opt/hybrid mem", "args": ["mcp", "--memory", 'C:\\m "x"', "ü"]}
PARTS = st.lists(
    st.sampled_from(
        [
            "# a comment\n",
            "\n",
            '[mcp_servers.other]\ncommand = "x"\n',
            '[projects."/src/a.b"]\ntrust = "trusted" # mine\n',
            "[[items]]\nn = 1\n",
            '[notes]\ntext = """\n[mcp_servers.not_a_table]\n"""\n',
        ]
    ),
    max_size=6,
    unique=True,
)


@given(PARTS, st.sampled_from(["", 'model = "o"\n', "model = 'o'\r\n"]))
def test_a_table_is_put_in_and_taken_out(parts: list[str], top: str) -> None:
    text = top + "".join(parts)
    after = with_table(text, PATH, TABLE)
    assert after.startswith(text)
    assert tomllib.loads(after)["mcp_servers"]["hybridmem"] == TABLE
    assert with_table(after, PATH, TABLE) == after
    assert without_table(after, PATH) == text


def test_what_stands_behind_it_and_below_it() -> None:
    text = (
        'a = 1\n\n[mcp_servers.hybridmem]\ncommand = "old"\n\n'
        '[mcp_servers.hybridmem.env]\nX = "1"\n\n# others\n[b]\nc = 2\n'
    )
    assert without_table(text, PATH) == "a = 1\n\n# others\n[b]\nc = 2\n"
    changed = with_table(text, PATH, TABLE)
    assert tomllib.loads(changed) == {"a": 1, "b": {"c": 2}, "mcp_servers": {"hybridmem": TABLE}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = ", "no TOML"),
        ('mcp_servers = { other = { command = "x" } }\n', r"\[mcp_servers\]"),
    ],
)
def test_what_cannot_be_done_without_touching_the_rest_is_refused(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        with_table(text, PATH, TABLE)


def test_an_entry_in_another_form_is_left_to_its_owner() -> None:
    with pytest.raises(InvalidInput, match="by hand"):
        without_table('[mcp_servers]\nhybridmem = { command = "x" }\nother = { command = "y" }\n', PATH)
