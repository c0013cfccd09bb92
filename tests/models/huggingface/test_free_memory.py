from __future__ import annotations

from pathlib import Path

import pytest
import torch

from hybridmem.models.huggingface import free_memory
from hybridmem.models.huggingface.free_memory import free_bytes, free_on_cpu

GB = 2**30


def machine(root: Path, *, available_kb: int | None = 16 * 2**20, cgroup: str = "", **files: object) -> Path:
    """A root with ``proc`` and ``sys`` in it; `files` are those of the control groups, with ``__`` for a slash."""
    (root / "proc" / "self").mkdir(parents=True)
    told = "" if available_kb is None else f"MemAvailable:   {available_kb} kB\n"
    (root / "proc" / "meminfo").write_text(f"MemTotal:       99999999 kB\n{told}SwapFree:  1024 kB\n")
    (root / "proc" / "self" / "cgroup").write_text(cgroup)
    for name, value in files.items():
        *folders, last = name.split("__")
        file = (root / "sys" / "fs" / "cgroup").joinpath(*folders, last.replace("_", ".", 1))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(str(value))
    return root


def test_what_the_kernel_calls_available_is_free(tmp_path: Path) -> None:
    assert free_on_cpu(machine(tmp_path)) == 16 * GB


def test_a_container_s_limit_counts_and_its_idle_cache_does_not(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        cgroup="0::/box\n",
        box__memory_max=4 * GB,
        box__memory_current=3 * GB,
        box__memory_stat=f"anon 1\ninactive_file {GB}\n",
    )
    assert free_on_cpu(root) == 2 * GB


def test_the_tightest_of_all_groups_around_counts(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        cgroup="0::/outer/inner\n",
        outer__inner__memory_max="max",
        outer__inner__memory_current=GB,
        outer__memory_max=8 * GB,
        outer__memory_current=GB,
        memory_max=5 * GB,
        memory_current=2 * GB,
    )
    assert free_on_cpu(root) == 3 * GB


def test_a_container_that_sees_only_itself_still_has_its_limit(tmp_path: Path) -> None:
    root = machine(tmp_path, cgroup="0::/docker/0123\n", memory_max=2 * GB, memory_current=GB)
    assert free_on_cpu(root) == GB


def test_the_first_version_of_control_groups_is_read_too(tmp_path: Path) -> None:
    root = machine(tmp_path, cgroup="7:cpu,cpuacct:/\n5:memory:/box\n")
    group = root / "sys" / "fs" / "cgroup" / "memory" / "box"
    group.mkdir(parents=True)
    (group / "memory.limit_in_bytes").write_text(str(2 * GB))
    (group / "memory.usage_in_bytes").write_text(str(GB))
    (group.parent / "memory.limit_in_bytes").write_text(str(2**63 - 4096))
    (group.parent / "memory.usage_in_bytes").write_text(str(9 * GB))
    assert free_on_cpu(root) == GB


def test_a_group_above_its_limit_leaves_nothing_and_no_debt(tmp_path: Path) -> None:
    assert free_on_cpu(machine(tmp_path, cgroup="0::/\n", memory_max=GB, memory_current=2 * GB)) == 0


def test_elsewhere_half_of_the_machine_is_taken_to_be_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"SC_PHYS_PAGES": 2 * GB // 4096, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(free_memory.os, "sysconf", sizes.__getitem__)
    assert free_on_cpu(tmp_path) == GB
    monkeypatch.delattr(free_memory.os, "sysconf")
    assert free_on_cpu(tmp_path) == free_memory.UNKNOWN


def test_a_card_tells_itself_and_what_torch_holds_back_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5 * GB, 24 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 3 * GB)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2 * GB)
    assert free_bytes(torch.device("cuda")) == 6 * GB
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 9 * GB)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: GB)
    assert free_bytes(torch.device("mps")) == 8 * GB


def test_this_machine_has_some() -> None:
    assert 2**20 < free_bytes(torch.device("cpu")) < 2**50
