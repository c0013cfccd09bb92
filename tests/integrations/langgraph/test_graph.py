"""The store in a real compiled graph, and under LangMem's tools."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.store.base import BaseStore
from langmem import create_manage_memory_tool, create_search_memory_tool

from hybridmem import HybridMemory
from hybridmem.integrations.langchain import HybridChatModel
from hybridmem.integrations.langgraph import HybridStore


def agent(model: Any, store: BaseStore) -> Any:
    """A graph whose one node notes what the user says and shows the model what it noted before."""

    def respond(state: MessagesState, config: RunnableConfig, *, store: BaseStore) -> dict[str, Any]:
        namespace = ("notes", config["configurable"]["user"])
        said = str(state["messages"][-1].content)
        known = [item.value["text"] for item in store.search(namespace, query=said, limit=3)]
        store.put(namespace, str(uuid.uuid4()), {"text": said})
        answer = model.invoke([HumanMessage(f"Known: {known}. {said}")])
        return {"messages": [answer]}

    builder = StateGraph(MessagesState)
    builder.add_node("respond", respond)
    builder.add_edge(START, "respond")
    return builder.compile(store=store)


def said_by(user: str) -> RunnableConfig:
    return {"configurable": {"user": user}}


def test_a_compiled_graph_keeps_its_notes_apart_and_for_good(memory: HybridMemory) -> None:
    told: list[str] = []

    class Listening(GenericFakeChatModel):
        def invoke(self, input: Any, *arguments: Any, **options: Any) -> AIMessage:
            told.append(input[0].content)
            return super().invoke(input, *arguments, **options)

    model = Listening(messages=iter([AIMessage("Noted."), AIMessage("Porto."), AIMessage("I do not know.")]))
    graph = agent(model, HybridStore(memory))
    graph.invoke({"messages": [HumanMessage("Ana lives in Porto.")]}, said_by("ana"))
    again = agent(model, HybridStore(memory))
    answered = again.invoke({"messages": [HumanMessage("Where does Ana live?")]}, said_by("ana"))
    again.invoke({"messages": [HumanMessage("Where does Ana live?")]}, said_by("bo"))
    assert answered["messages"][-1].content == "Porto."
    assert told == [
        "Known: []. Ana lives in Porto.",
        "Known: ['Ana lives in Porto.']. Where does Ana live?",
        "Known: []. Where does Ana live?",
    ]


async def test_a_graph_runs_asynchronously(memory: HybridMemory) -> None:
    async def respond(state: MessagesState, *, store: BaseStore) -> dict[str, Any]:
        await store.aput(("notes",), "last", {"text": str(state["messages"][-1].content)})
        found = await store.asearch(("notes",), query="Ana")
        return {"messages": [AIMessage(found[0].value["text"])]}

    builder = StateGraph(MessagesState)
    builder.add_node("respond", respond)
    builder.add_edge(START, "respond")
    graph = builder.compile(store=HybridStore(memory))
    answered = await graph.ainvoke({"messages": [HumanMessage("Ana lives in Porto.")]})
    assert answered["messages"][-1].content == "Ana lives in Porto."


def test_a_graph_with_the_bundled_model_answers_from_its_memory(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "memory", namespace="users/ana", embedder="hashing") as memory:
        store = HybridStore(memory)
        notes = store.memory(("notes", "ana"))
        model = HybridChatModel(memory=notes, remembers=False)

        def respond(state: MessagesState, *, store: BaseStore) -> dict[str, Any]:
            said = state["messages"][-1]
            if not str(said.content).endswith("?"):
                store.put(("notes", "ana"), str(uuid.uuid4()), {"content": said.content})
            return {"messages": [model.invoke(state["messages"])]}

        builder = StateGraph(MessagesState)
        builder.add_node("respond", respond)
        builder.add_edge(START, "respond")
        graph = builder.compile(store=store)
        graph.invoke({"messages": [HumanMessage("Ana Brito lives in Porto.")]})
        answer = graph.invoke({"messages": [HumanMessage("Where does Ana Brito live?")]})["messages"][-1]
        assert "Porto" in answer.content
        assert answer.response_metadata["route"] == "retrieval"


@pytest.mark.parametrize("store_given", [True, False])
def test_langmems_tools_manage_and_search(memory: HybridMemory, store_given: bool) -> None:
    store = HybridStore(memory)
    own = {"store": store} if store_given else {}
    namespace = ("memories", "{langgraph_user_id}")
    tools = [create_manage_memory_tool(namespace, **own), create_search_memory_tool(namespace, **own)]
    builder = StateGraph(MessagesState)
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "tools")
    graph = builder.compile(store=store)

    def call(tool: str, **arguments: Any) -> str:
        asked = AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": "c1", "type": "tool_call"}])
        config: RunnableConfig = {"configurable": {"langgraph_user_id": "ana"}}
        return str(graph.invoke({"messages": [asked]}, config)["messages"][-1].content)

    told = call("manage_memory", content="Ana lives in Porto.", action="create")
    call("manage_memory", content="Ana keeps ferrets.", action="create")
    assert "Porto" in call("search_memory", query="Where does Ana live?", limit=1)
    id = told.split()[-1]
    call("manage_memory", content="Ana lives in Oslo.", action="update", id=id)
    found = call("search_memory", query="Where does Ana live?")
    assert "Oslo" in found and "Porto" not in found and id in found
    call("manage_memory", action="delete", id=id)
    assert "Oslo" not in call("search_memory", query="Where does Ana live?")
    assert [item.value["content"] for item in store.search(("memories", "ana"))] == ["Ana keeps ferrets."]
    assert store.memory(("memories", "ana")).search("ferrets")[0].text == "Ana keeps ferrets."
    assert store.list_namespaces() == [("memories", "ana")]
