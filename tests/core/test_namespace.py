"""Names of namespaces on disk: distinct, safe, and the same in every release."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from hybridmem.core.namespace import adapter_folder, namespace_digest


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
