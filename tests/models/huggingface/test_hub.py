"""What a user reads when a model of the hub cannot be had: one line, with what to do, and exit code 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory, models
from hybridmem.core.errors import ModelNotFound
from hybridmem.models.huggingface import hub
from tests.models import hub_server
from tests.models.conftest import Folders

PROGRAM = """
import contextlib, io, json, sys
from hybridmem.cli.app import run
told = {}
for name in sys.argv[2:]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["dream", "--dry-run", "--memory", sys.argv[1], "--model", name])
    told[name] = (code, out.getvalue(), err.getvalue())
print(json.dumps(told))
"""
REFUSALS = {
    "nobody/missing": "the hub has no model 'nobody/missing', or hides it: check its spelling",
    "nobody/hidden": "the hub has no model",
    "nobody/forbidden": "(HTTP 403): your token may not read it",
    "nobody/elsewhere": "(HTTP 404): check its spelling",
    "nobody/token": "(HTTP 401): the hub does not take your token: log in again with `hf auth login`",
    hub_server.CUT: "the hub cannot be reached: check the network",
    hub_server.GATED: "is gated: request access on http://127.0.0.1",
    hub_server.PICKLED: "lacks model.safetensors",
}


@dataclass(frozen=True)
class Asked:
    """What a hub on this machine was asked by the command line in a process of its own."""

    cache: Path
    told: dict[str, tuple[int, str, str]]
    """Exit code, stdout and stderr of ``hybridmem dream --dry-run --model NAME``, by name."""


@pytest.fixture(scope="module")
def asked(folder_of: Folders, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    cache, memory = tmp_path_factory.mktemp("cache"), tmp_path_factory.mktemp("hub") / "memory"
    with HybridMemory.open(memory) as opened:
        opened.add("Ana lives in Lisbon.")
    ours = ("HF_", "HYBRIDMEM_", "TRANSFORMERS_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    with hub_server.serving(folder_of("llama")) as address:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(memory), *REFUSALS, hub_server.OPEN],
            env={**kept, "HF_HOME": str(cache), "HF_ENDPOINT": address},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return Asked(cache / "hub", json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", REFUSALS)
def test_what_a_hub_refuses_is_one_line_and_exit_code_2(asked: Asked, name: str) -> None:
    code, out, err = asked.told[name]
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    assert REFUSALS[name] in err


def test_a_model_of_a_hub_is_fetched_and_then_used_without_it(
    asked: Asked, folder_of: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    assert asked.told[hub_server.OPEN][0] == 0, asked.told[hub_server.OPEN]
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(asked.cache))
    assert constants.HF_HUB_OFFLINE
    assert models.load(hub_server.OPEN).sha256 == models.load(folder_of("llama")).sha256


def test_a_name_that_is_not_in_the_cache_says_that_nobody_looked_further() -> None:
    with pytest.raises(ModelNotFound, match="HF_HUB_OFFLINE is set: unset it") as caught:
        models.load("nobody/none")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "headers", "hint"),
    [
        (401, hub_server.MISSING, "check its spelling"),
        (404, hub_server.MISSING, "check its spelling"),
        (401, {}, "check its spelling"),
        (403, {"X-Error-Code": "GatedRepo"}, "request access on .*/meta/gated, then log in"),
        (401, {"X-Error-Code": "GatedRepo"}, "request access on .*/meta/gated, then log in"),
        (403, {}, "your token may not read it"),
        (403, {"X-Error-Message": "Access to this resource is disabled."}, "HTTP 403"),
        (429, {}, "try again later"),
        (503, {}, "HTTP 503.*try again later"),
    ],
)
def test_the_hub_s_own_errors_say_what_to_do(
    monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], hint: str
) -> None:
    import huggingface_hub
    from huggingface_hub import errors
    from huggingface_hub.errors import LocalEntryNotFoundError
    from huggingface_hub.utils import hf_raise_for_status

    http = sys.modules[errors.HfHubHTTPError.__mro__[1].__module__.partition(".")[0]]

    def refused(*args: object, local_files_only: bool, **named: object) -> str:
        if local_files_only:
            raise LocalEntryNotFoundError("not cached")
        request = http.Request("GET", "https://huggingface.co/api/models/meta/gated/revision/main")
        hf_raise_for_status(http.Response(status, headers=headers, request=request))
        raise AssertionError("no error")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refused)
    with pytest.raises(ModelNotFound, match=hint) as caught:
        models.load("meta/gated")
    assert "\n" not in str(caught.value)
    assert "'bundled'" in str(caught.value)


def test_a_broken_connection_is_one_line_too(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub.errors import HTTPError, LocalEntryNotFoundError  # type: ignore[attr-defined]

    def broken(*args: Any, local_files_only: bool, **named: Any) -> str:
        raise LocalEntryNotFoundError("not cached") if local_files_only else HTTPError("cut off\nin the middle")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", broken)
    with pytest.raises(ModelNotFound, match="cannot be reached") as caught:
        models.load("meta/gated")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["gpt2", "Qwen/Qwen3-0.6B", "a_b/c.d-e"])
def test_a_hub_name_is_told_from_a_path(name: str) -> None:
    assert hub.is_name(name)
    assert not any(hub.is_name(other) for other in (f"./{name}", f"/{name}", f"~/{name}", f"{name}/x/y", f"{name} x"))
