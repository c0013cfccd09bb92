"""The README's example runs as it stands there, and what it says is to be changed in an agent is enough."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem import models
from hybridmem.models.fake import FakeModel
from tests import scripts
from tests.reader_server import reader_server
from tests.server.conftest import ANA, Server, serving

README = Path(__file__).parents[1] / "README.md"


REAL = pytest.mark.parametrize(
    "real", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["fake model", "real model"]
)


def run_example(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch, *, real: bool) -> None:
    """The README's Python block of that number, in `folder`."""
    if not real:
        monkeypatch.setattr(models, "load", lambda name=None, settings=None: FakeModel())
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 2
    assert len(blocks[number].splitlines()) <= 15
    monkeypatch.chdir(folder)
    exec(compile(blocks[number], str(README), "exec"), {})  # the README is ours


@REAL
def test_the_example_with_an_agents_model_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], real: bool
) -> None:
    with reader_server() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-test-0123456789")
        run_example(0, tmp_path, monkeypatch, real=real)
    read, estimated, night, recalled = capsys.readouterr().out.splitlines()
    assert (read, recalled) == ("Porto", "Porto")
    assert night.startswith("promoted ReaderUsage(calls=")
    assert "cost=0.0" in night and "cost=0.0" in estimated


@REAL
def test_the_example_on_one_machine_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], real: bool
) -> None:
    run_example(1, tmp_path, monkeypatch, real=real)
    assert "Porto" in capsys.readouterr().out


def test_its_links_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("http"):
            assert (README.parent / target).exists(), target


def test_its_commands_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README.read_text(encoding="utf-8"), flags=re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


# ---- agents that are changed as it says

OPENAI_AGENT = """
from openai import OpenAI

client = OpenAI()
model = "gpt-..."


def say(words):
    told = client.chat.completions.create(model=model, messages=[{"role": "user", "content": words}])
    return told.hybridmem["evidence"]


say("Otto keeps a pelican in Brno.")
print([memory["text"] for memory in say("What does Otto keep in Brno?")])
"""
LANGGRAPH_AGENT = """
import sys
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.store.memory import InMemoryStore
from langgraph.config import get_store


def note(state):
    words = state["messages"][-1].text
    found = get_store().search(("notes",), query=words)
    get_store().put(("notes",), str(len(words)), {"text": words})
    return {"messages": [("ai", str([item.value["text"] for item in found]))]}


builder = StateGraph(MessagesState)
builder.add_node("note", note)
builder.add_edge(START, "note")
graph = builder.compile(store=InMemoryStore())
print(graph.invoke({"messages": [("user", sys.argv[1])]})["messages"][-1].text)
"""
LANGCHAIN_AGENT = """
import sys
from langchain_core.language_models import FakeListChatModel

heard = []


class Model(FakeListChatModel):
    def _call(self, messages, **options):
        heard.append(messages[-1].text)
        return super()._call(messages, **options)


def init_chat_model(name):
    return Model(responses=["I see."])


llm = init_chat_model("...")
llm.invoke(sys.argv[1])
print(heard)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


def changes(number: int) -> tuple[list[str], list[str]]:
    """The (gone, come) lines of the README's diff of that number."""
    block = re.findall(r"```diff\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)[number]
    lines = block.splitlines()
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


def changed(agent: str, number: int) -> str:
    """`agent` with that diff's lines in place of its own: imports at the top, each other line where its name was."""
    gone, come = changes(number)
    assert len(come) <= 3
    for line in gone:
        assert line in agent.splitlines()
        name = line.split(" = ")[0]
        successors = [new for new in come if new.startswith(f"{name} = ")]
        agent = agent.replace(line, successors[0] if successors else "")
    return "\n".join([*(line for line in come if line.startswith("from ")), agent])


def run(script: str, folder: Path, *words: str) -> str:
    done = scripts.run(script, folder, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_two_lines_give_an_openai_agent_this_memory(server: Server, tmp_path: Path) -> None:
    script = changed(OPENAI_AGENT, 0).replace("http://127.0.0.1:8377", server.url)
    assert "pelican in Brno" in run(f"TOKEN = {ANA!r}\n{script}", tmp_path)


def test_three_lines_give_a_langgraph_agent_this_memory(tmp_path: Path) -> None:
    script = changed(LANGGRAPH_AGENT, 1)
    run(script, tmp_path, "Otto keeps a pelican in Brno.")
    assert "pelican in Brno" in run(script, tmp_path, "What does Otto keep?")
    run(LANGGRAPH_AGENT, tmp_path, "Otto keeps a pelican in Brno.")
    assert "pelican" not in run(LANGGRAPH_AGENT, tmp_path, "What does Otto keep?")


def test_three_lines_give_a_langchain_agent_this_memory(tmp_path: Path) -> None:
    script = changed(LANGCHAIN_AGENT, 2)
    run(script, tmp_path, "Otto keeps a pelican in Brno.")
    assert "pelican in Brno" in run(script, tmp_path, "What does Otto keep in Brno?")
