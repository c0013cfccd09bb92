from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hybridmem.adapters import files
from hybridmem.adapters.registry import AdapterRegistry, trail
from hybridmem.core.errors import AdapterError, CorruptAdapter, InvalidInput, UnknownAdapter, WrongBase
from tests.adapters.conftest import NOW, candidate, record
from tests.adapters.test_card import card


@pytest.fixture
def register(registry: AdapterRegistry, tmp_path: Path) -> Callable[..., str]:
    def register(**values: Any) -> str:
        number = len(registry.list())
        return registry.register(candidate(tmp_path / f"run{number}", bytes([number])), record(**values)).version

    return register


def test_registering_names_hashes_and_moves(registry: AdapterRegistry, tmp_path: Path) -> None:
    source = candidate(tmp_path / "run")
    stored = registry.register(source, record(), card())
    assert stored.version == "v0001"
    assert stored.files.keys() == {"adapter_config.json", "adapter_model.safetensors"}
    assert not source.exists()
    assert registry.list() == [stored] == [registry.get("v0001")]
    assert registry.card("v0001").files == stored.files
    assert registry.card("v0001").version == "v0001"
    assert registry.verify("v0001", base="bundled", base_sha256="b" * 64) == stored
    assert registry.next_version() == "v0002"


def test_a_training_that_left_nothing_is_refused(registry: AdapterRegistry, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for source in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(CorruptAdapter, match="dream again"):
            registry.register(source, record())
    assert registry.list() == []


def test_namespaces_do_not_meet(registry: AdapterRegistry, ledger: Any, tmp_path: Path, register: Any) -> None:
    register()
    other = AdapterRegistry(ledger, tmp_path / "adapters", ("users", "Ana"), lambda: NOW)
    assert other.list() == []
    assert other.next_version() == "v0001"
    assert other.path("v0001") != registry.path("v0001")
    with pytest.raises(UnknownAdapter, match=r"users/Ana has no adapter 'v0001'.*hybridmem dream"):
        other.get("v0001")


def test_promotion_moves_the_alias_and_rollback_moves_it_back_again_and_again(
    registry: AdapterRegistry, register: Callable[..., str]
) -> None:
    for _ in range(3):
        promoted = registry.promote(register())
        assert promoted is not None and promoted.status == "active"
    for expected in ("v0002", "v0001"):
        back = registry.rollback()
        assert back is not None and back.version == expected
        active = registry.active()
        assert active is not None and active.version == expected
    with pytest.raises(UnknownAdapter, match="nothing was active before v0001"):
        registry.rollback()
    assert registry.promote(None) is None
    assert registry.active() is None
    with pytest.raises(UnknownAdapter, match="nothing to roll back"):
        registry.rollback()


def test_rollback_goes_to_the_bare_base_where_that_came_before(
    registry: AdapterRegistry, register: Callable[..., str]
) -> None:
    registry.promote(register())
    registry.promote(None)
    registry.promote(register())
    assert registry.rollback() is None
    assert registry.active() is None


def test_rollback_passes_over_versions_whose_weights_were_removed(
    registry: AdapterRegistry, register: Callable[..., str]
) -> None:
    for _ in range(3):
        registry.promote(register())
    assert registry.remove("v0002") == ("adapter_config.json", "adapter_model.safetensors")
    back = registry.rollback()
    assert back is not None and back.version == "v0001"


@given(some.lists(some.sampled_from([None, "v1", "v2", "v3"])))
def test_the_trail_ends_at_the_present_and_names_nothing_twice(moves: list[str | None]) -> None:
    left = trail([(NOW, version) for version in moves])
    assert left[-1:] == moves[-1:]
    assert len(set(left)) == len(left)


def test_a_rejected_version_is_promoted_by_force_alone(registry: AdapterRegistry, register: Any) -> None:
    register(status="rejected")
    with pytest.raises(AdapterError, match="rejected by its gate"):
        registry.promote("v0001")
    assert registry.active() is None
    registry.promote("v0001", force=True)
    assert registry.active() is not None


def _truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _flip(file: Path) -> None:
    """One bit, and the times put back as they were."""
    times = file.stat()
    content = bytearray(file.read_bytes())
    content[7] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("damage", [_truncate, _flip, Path.unlink])
def test_damaged_files_are_found_and_never_promoted(
    registry: AdapterRegistry, register: Callable[..., str], damage: Callable[[Path], None], tmp_path: Path
) -> None:
    for _ in range(2):
        registry.promote(register())
    damage(registry.path("v0001") / "adapter_model.safetensors")
    for attempt in (
        lambda: registry.verify("v0001"),
        lambda: registry.promote("v0001"),
        lambda: registry.rollback(),
        lambda: registry.export("v0001", tmp_path / "out"),
    ):
        with pytest.raises(CorruptAdapter, match=r"adapter_model\.safetensors") as caught:
            attempt()
        assert "\n" not in str(caught.value)
    active = registry.active()
    assert active is not None and active.version == "v0002"
    assert not (tmp_path / "out").exists()


def test_another_base_is_named_with_both_hashes(registry: AdapterRegistry, register: Callable[..., str]) -> None:
    register()
    with pytest.raises(WrongBase, match=f"{'b' * 64}.*other.*{'c' * 64}"):
        registry.verify("v0001", base="other", base_sha256="c" * 64)


def test_a_diff_shows_what_was_gained_and_lost_and_the_scores_side_by_side(
    registry: AdapterRegistry, register: Callable[..., str]
) -> None:
    register(facts=("f1", "f2"), scores={"new": 0.9, "old": 1.0})
    register(facts=("f2", "f3"), scores={"new": 0.8, "drift_nats": 0.01})
    found = registry.diff("v0001", "v0002")
    assert (found.gained, found.lost) == (("f3",), ("f1",))
    assert found.scores == {"new": (0.9, 0.8), "old": (1.0, None), "drift_nats": (None, 0.01)}


def test_an_export_never_overwrites(registry: AdapterRegistry, register: Callable[..., str], tmp_path: Path) -> None:
    register()
    out = registry.export("v0001", tmp_path / "deep" / "out")
    assert files.hashes(out) == registry.get("v0001").files
    with pytest.raises(InvalidInput, match="there already"):
        registry.export("v0001", out)
    with pytest.raises(InvalidInput, match="there already"):
        registry.export("v0001", out / "adapter_config.json")


def test_removing_deletes_the_weights_and_keeps_the_record(
    registry: AdapterRegistry, register: Callable[..., str]
) -> None:
    registry.promote(register())
    registry.promote(register())
    with pytest.raises(AdapterError, match="is active"):
        registry.remove("v0002")
    registry.remove("v0001")
    assert not registry.path("v0001").exists()
    assert registry.get("v0001").facts == ("f1", "f2")
    assert registry.remove("v0001") == ()
    with pytest.raises(CorruptAdapter, match="were removed"):
        registry.verify("v0001")
    assert registry.orphans() == ()
    assert registry.next_version() == "v0003"


class Crash(BaseException):
    pass


def _crash(*args: object) -> None:
    raise Crash


@pytest.mark.parametrize("at", ["synced", "save_adapter"])
def test_a_crash_while_registering_leaves_nothing_that_prune_does_not_remove(
    registry: AdapterRegistry, register: Any, ledger: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    registry.promote(register())
    source = candidate(tmp_path / "crashing")
    with monkeypatch.context() as patched:
        patched.setattr(ledger if at == "save_adapter" else files, at, _crash)
        with pytest.raises(Crash):
            registry.register(source, record())
    assert [known.version for known in registry.list()] == ["v0001"]
    (orphan,) = registry.orphans()
    again = registry.register(source, record())
    assert registry.verify(again.version)
    left = set(registry.prune())
    assert left <= {orphan}
    assert registry.orphans() == ()
    assert registry.verify("v0001") and registry.verify(again.version)


def test_a_card_that_is_gone_is_missed(registry: AdapterRegistry, register: Callable[..., str]) -> None:
    register()
    with pytest.raises(CorruptAdapter, match=r"no card\.json"):
        registry.card("v0001")
