"""Which project a folder belongs to."""

from __future__ import annotations

from pathlib import Path

from hybridmem.coding_agents.project import namespace_of, root_of
from hybridmem.core.namespace import checked_namespace


def test_the_nearest_checkout_is_the_project(tmp_path: Path) -> None:
    (tmp_path / "shop" / ".git").mkdir(parents=True)
    (tmp_path / "shop" / "src" / "deep").mkdir(parents=True)
    assert root_of(tmp_path / "shop" / "src" / "deep") == tmp_path / "shop"
    assert root_of(tmp_path) == tmp_path


def test_a_linked_work_tree_is_of_its_checkout(tmp_path: Path) -> None:
    (tmp_path / "shop" / ".git" / "worktrees" / "fix").mkdir(parents=True)
    linked = tmp_path / "fix"
    linked.mkdir()
    (linked / ".git").write_text(f"gitdir: {tmp_path}/shop/.git/worktrees/fix\n", "utf-8")
    assert root_of(linked) == tmp_path / "shop"
    assert namespace_of(("ana",), linked) == namespace_of(("ana",), tmp_path / "shop")


def test_every_folder_has_a_namespace(tmp_path: Path) -> None:
    for name in ("a b", "über", "..x", "x" * 200, "- -"):
        made = namespace_of(("ana",), tmp_path / name)
        assert checked_namespace(made) == made
    assert namespace_of(("ana",), tmp_path / "one" / "app") != namespace_of(("ana",), tmp_path / "two" / "app")
