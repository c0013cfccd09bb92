"""The Dockerfile, checked as a linter does: no builder is needed for it."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KNOWN = {
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "SHELL"),
    *("STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
Instruction = tuple[str, str]


def instructions(text: str) -> list[Instruction]:
    """(keyword, the rest) of each instruction, its continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(maxsplit=1)[0].upper(), line.split(maxsplit=1)[1]) for line in joined.splitlines()]


def faults(text: str, files: Path = ROOT) -> list[str]:
    """What a linter would say, one line each."""
    found = []
    given = instructions(text)
    if [name for name, _ in given if name != "ARG"][:1] != ["FROM"]:
        found.append("it does not begin with FROM")
    stages: set[str] = set()
    user = "root"
    for name, rest in given:
        if name not in KNOWN:
            found.append(f"{name} is no instruction")
        elif name == "FROM":
            image, *named = rest.split()
            if image not in stages and (":" not in image or image.endswith(":latest")):
                found.append(f"{image} is not pinned to a version")
            stages |= {named[1]} if len(named) == 2 and named[0].upper() == "AS" else set()
            user = "root"
        elif name == "ADD":
            found.append("ADD: use COPY")
        elif name == "COPY":
            words = shlex.split(rest)
            if not words[0].startswith("--from="):
                found += [f"{each} is not in the checkout" for each in words[:-1] if not (files / each).exists()]
            elif words[0].removeprefix("--from=") not in stages:
                found.append(f"{words[0]}: there is no such stage")
        elif name == "USER":
            user = rest.split(":")[0]
        elif name == "RUN":
            if "apt-get install" in rest and "rm -rf /var/lib/apt/lists" not in rest:
                found.append("apt's lists stay in the image")
            if "pip install" in rest and "--no-cache-dir" not in rest:
                found.append("pip's cache stays in the image")
            if "sudo " in rest or "curl | sh" in rest:
                found.append("RUN: no sudo, and no script from the network")
        elif name in ("CMD", "ENTRYPOINT") and not rest.startswith("["):
            found.append(f"{name} is run by a shell, which passes no signals on: write it as a list")
        elif name in ("ENV", "ARG") and re.search(r"(?i)(token|secret|password|key)\w*=\S", rest):
            found.append(f"{name} holds a secret")
    if user in ("root", "0"):
        found.append("the last stage runs as root")
    return found


def test_the_dockerfile_has_no_fault() -> None:
    assert faults((ROOT / "Dockerfile").read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("RUN true\nFROM a:1\nUSER x", "begin"),
        ("FROM python\nUSER x", "pinned"),
        ("FROM python:latest\nUSER x", "pinned"),
        ("FROM a:1", "root"),
        ("FROM a:1\nUSER x\nFROM b:1", "root"),
        ("FROM a:1\nUSER x\nCOPY nothing.txt .", "nothing.txt"),
        ("FROM a:1\nUSER x\nCOPY --from=b /x /x", "stage"),
        ("FROM a:1\nUSER x\nRUN pip install \\\n  x", "cache"),
        ("FROM a:1\nUSER x\nCMD run it", "list"),
        ("FROM a:1\nUSER x\nENV API_KEY=abc", "secret"),
        ("FROM a:1\nUSER x\nADD https://x /x", "COPY"),
        ("FROM a:1\nUSER x\nRUM true", "RUM"),
    ],
)
def test_the_check_sees_what_it_should(text: str, fault: str) -> None:
    assert any(fault in each for each in faults(text)), faults(text)


def test_what_it_installs_exists() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    extras = set(re.findall(r'"\.\[([\w,]+)\]"', text)[0].split(","))
    assert (
        extras <= tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"].keys()
    )


def test_the_builder_is_sent_what_is_copied() -> None:
    """Everything is left out of the context that `.dockerignore` does not name."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = [
        word
        for name, rest in instructions((ROOT / "Dockerfile").read_text("utf-8"))
        if name == "COPY" and not rest.startswith("--from")
        for word in shlex.split(rest)[:-1]
    ]
    assert "*" in lines and set(copied) == sent
