"""Names of namespaces on disk: distinct, safe, and the same in every release."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hybridmem.core.errors import InvalidNamespace
from hybridmem.core.namespace import adapter_folder, checked_namespace, namespace_digest, same_names


@given(some.lists(some.text(min_size=1), min_size=1), some.lists(some.text(min_size=1), min_size=1))
def test_every_namespace_has_a_folder_of_its_own_with_a_safe_name(first: list[str], second: list[str]) -> None:
    names = [adapter_folder(tuple(parts)) for parts in (first, second)]
    assert (names[0] == names[1]) == (first == second)
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") and len(name) < 60 for name in names)


def test_names_on_disk_stay_what_they_were() -> None:
    """A memory that an earlier release made is found again."""
    assert namespace_digest(("users", "ana"), 16) == "31b23b213c0783d1"
    assert namespace_digest(("default",), 16) == "37a8eec1ce19687d"
    assert adapter_folder(("users", "ana")) == "users-ana-36bbc6fb6214"
    assert adapter_folder(("日本",)) == "cf2abf0c5be3"


@pytest.mark.parametrize("name", ["users/علی\u200cرضا", "users/👨\u200d👩\u200d👧", "users/a.b@c.org"])
def test_names_of_people_are_taken(name: str) -> None:
    assert checked_namespace(name) == tuple(name.split("/"))


@pytest.mark.parametrize("name", [("users", 42), ("users", None), 42, "users/", "users/\u200d", "a/\x07", ()])
def test_what_is_no_name_is_refused_for_what_it_is(name: object) -> None:
    with pytest.raises(InvalidNamespace) as refused:
        checked_namespace(name)  # type: ignore[arg-type]
    assert "empty part" not in str(refused.value) or name in ("users/", "users/\u200d")


def test_one_name_however_it_is_composed() -> None:
    composed, apart = ("jos\u00e9",), ("jose\u0301",)
    assert same_names(apart, []) == same_names(composed, []) == composed
    # What an earlier release wrote is found again, by either spelling.
    assert same_names(composed, [apart]) == same_names(apart, [apart]) == apart
    assert (same_names(apart, [composed, apart]), same_names(composed, [composed, apart])) == (apart, composed)
