"""The page of the skills: what is on it, what a search finds, and that a deletion asks first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from tests.inspector import worlds
from tests.inspector.conftest import visitor
from tests.inspector.test_pages import shown, words


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing") as memory:
        worlds.add_skills(memory)
        yield memory


def form(client: TestClient, path: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', client.get(path).text))


def test_a_skill_is_shown_with_its_steps_its_record_and_its_sources(memory: HybridMemory) -> None:
    page = visitor(memory).get("/skills").text
    (card,) = [each for each in page.split("<article")[1:] if "Deploy" in words(each)]
    text = words(card)
    assert "Deploy service to env worked 2× known by the error flag build service service push env env force" in text
    skill = next(each for each in memory.skills() if each.task.startswith("Deploy"))
    assert all(f'href="/memory?id={id}"' in card for id in skill.episodes)
    (failed,) = [each for each in page.split("<article")[1:] if "Restart" in words(each)]
    assert "not recommended failed 1×" in words(failed)
    assert "Delete" not in text


def test_a_task_finds_its_skill_and_looking_is_no_use(memory: HybridMemory) -> None:
    skill = next(each for each in memory.skills() if each.task.startswith("Deploy"))
    before = memory.ledger.uses(memory.namespace, skill.facts)
    text = shown(visitor(memory), "/skills?q=deploy delta to production")
    assert "service delta push env production" in text and "Restart" not in text
    assert "No skill bears on that task." in shown(visitor(memory), "/skills?q=what is for dinner")
    assert memory.ledger.uses(memory.namespace, skill.facts) == before


def test_the_opening_page_names_them(memory: HybridMemory) -> None:
    text = shown(visitor(memory), "/")
    named = text.split("What it knows how to do", 1)[1].split("All skills")[0]
    assert "Deploy service to env worked 2× 2 steps: build, push" in named and "Restart" not in named


@pytest.mark.parametrize("path", ["/", "/skills", "/skills?q=show"])
def test_words_of_a_skill_stay_words(memory: HybridMemory, path: str) -> None:
    page = visitor(memory).get(path).text
    assert "<script>window" not in page and worlds.SCRIPT_STEP in unescape(page)


def test_a_deletion_asks_first_and_leaves_what_was_asked(memory: HybridMemory) -> None:
    client = visitor(memory, edit=True)
    skill = next(each for each in memory.skills() if each.task.startswith("Deploy"))
    path = f"/skills/delete?id={skill.facts[0]}"
    assert path in unescape(client.get("/skills").text)
    assert "What was asked (2 requests) stays" in shown(client, path)
    answer = client.post("/skills/delete", data=form(client, path))
    assert "The skill is deleted." in words(answer.text)
    assert all(not each.task.startswith("Deploy") for each in memory.skills(failed=True))
    assert [memory.get(id).id for id in skill.episodes] == list(skill.episodes)
    assert client.get(path).status_code == 404
    read_only = visitor(memory)
    other = memory.skills(failed=True)[0].facts[0]
    assert "read-only" in shown(read_only, f"/skills/delete?id={other}")
    assert read_only.post("/skills/delete", data={"id": other}).status_code == 403


def test_without_skills_the_page_says_where_they_come_from(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "none", model=FakeModel(), embedder="hashing") as memory:
        assert "hybridmem install claude-code" in shown(visitor(memory), "/skills")
        assert "What it knows how to do" not in shown(visitor(memory), "/")
