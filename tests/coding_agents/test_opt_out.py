"""Where the hooks keep quiet."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.coding_agents.opt_out import opted_out


@pytest.mark.parametrize(
    ("ignore", "quiet", "heard"),
    [
        ("", [".", "a", "a/b"], []),
        ("# nothing but a comment\n", [".", "a"], []),
        ("*\n", [".", "a", "a/b"], []),
        ("secret/\n", ["secret", "secret/deep", "a/secret"], [".", "a", "secrets"]),
        ("/a/b\n", ["a/b", "a/b/c"], [".", "a", "a/c", "b"]),
        ("*\n!open\n", [".", "a"], ["open", "open/a"]),
        ("client-*\n", ["client-x", "client-y/src"], ["clients"]),
    ],
)
def test_a_file_says_which_folders(tmp_path: Path, ignore: str, quiet: list[str], heard: list[str]) -> None:
    (tmp_path / ".hybridmemignore").write_text(ignore, "utf-8")
    for name in quiet:
        assert opted_out(tmp_path / name, {}), name
    for name in heard:
        assert not opted_out(tmp_path / name, {}), name


def test_a_variable_silences_whatever_runs_with_it(tmp_path: Path) -> None:
    assert opted_out(tmp_path, {"HYBRIDMEM_HOOKS": "off"})
    assert not opted_out(tmp_path, {"HYBRIDMEM_HOOKS": "on"})
    assert not opted_out(tmp_path, {})
