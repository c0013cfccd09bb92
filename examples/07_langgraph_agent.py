"""A LangGraph agent that keeps what its tools note: three lines are ours, the rest is any agent with a store."""

import tempfile

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langmem import create_manage_memory_tool, create_search_memory_tool

from hybridmem import HybridMemory  # 1
from hybridmem.integrations.langgraph import HybridStore  # 2


class Model(BaseChatModel):
    """Stands for your model, so that this runs offline: it notes statements, and looks up what it is asked."""

    @property
    def _llm_type(self) -> str:
        return "rules"

    def _generate(self, messages, stop=None, run_manager=None, **options):
        last = messages[-1]
        if last.type == "tool":
            return self._say(AIMessage(last.text))
        if last.text.endswith("?"):
            return self._say(self._call("search_memory", query=last.text, limit=1))
        return self._say(self._call("manage_memory", content=last.text, action="create"))

    def _call(self, tool, **arguments):
        return AIMessage("", tool_calls=[{"name": tool, "args": arguments, "id": "call", "type": "tool_call"}])

    def _say(self, message):
        return ChatResult(generations=[ChatGeneration(message=message)])


def agent(store):
    """The model and LangMem's tools in a loop. What they note lies in a namespace for each user."""
    namespace = ("memories", "{user}")
    model, tools = Model(), [create_manage_memory_tool(namespace), create_search_memory_tool(namespace)]
    builder = StateGraph(MessagesState)
    builder.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    builder.add_node("tools", ToolNode(tools))
    builder.add_edge(START, "model")
    builder.add_conditional_edges("model", tools_condition)
    builder.add_edge("tools", "model")
    return builder.compile(store=store)


def ask(graph, user, text):
    state = graph.invoke({"messages": [HumanMessage(text)]}, {"configurable": {"user": user}})
    return state["messages"][-1].text


with tempfile.TemporaryDirectory() as folder:
    for day in ("monday", "tuesday"):  # opened anew each day: what was noted is on disk
        with HybridMemory.open(f"{folder}/memory") as memory:
            store = HybridStore(memory)  # 3: where InMemoryStore() stood
            graph = agent(store)
            if day == "monday":
                ask(graph, "ana", "Ana Brito lives in Porto.")
                ask(graph, "ana", "Ana Brito keeps two ferrets.")
                continue
            print("Ana:", ask(graph, "ana", "Where does Ana Brito live?"))
            print("Zane:", ask(graph, "zane", "Where does Ana Brito live?"))
            # The same notes are a memory: it answers by the router, and a night would dream of them.
            answer = store.memory(("memories", "ana")).answer("Where does Ana Brito live?")
            print(f"The memory itself: {answer.text} ({answer.route})")
