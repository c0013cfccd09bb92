"""Chat history in a session of a memory."""

from __future__ import annotations

from pathlib import Path

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.runnables.history import RunnableWithMessageHistory

from hybridmem import HybridMemory
from hybridmem.integrations.langchain import HybridChatMessageHistory
from hybridmem.models.fake import FakeModel

MESSAGES: list[BaseMessage] = [
    SystemMessage("Be brief."),
    HumanMessage("How is the weather in Porto?", name="Ana", id="h1"),
    AIMessage(
        "",
        id="a1",
        tool_calls=[{"name": "weather", "args": {"city": "Porto"}, "id": "c1", "type": "tool_call"}],
        usage_metadata={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
    ),
    ToolMessage("It rains.", tool_call_id="c1", name="weather", status="error", artifact={"mm": 3}),
    AIMessage("Take an umbrella.", response_metadata={"model_name": "m"}),
    HumanMessage(
        [{"type": "text", "text": "And here?"}, {"type": "image", "base64": "AA==", "mime_type": "image/png"}]
    ),
    HumanMessage([{"type": "image", "base64": "BB==", "mime_type": "image/png"}]),
    ChatMessage(content="Order!", role="judge"),
    HumanMessage("  "),
    HumanMessage("\u200b"),
    ToolMessage("PK\x03\x04\x00\x00", tool_call_id="c2"),
    HumanMessage([{"type": "text", "text": "a\x00b"}]),
]


def test_messages_come_back_in_order_as_they_were(memory: HybridMemory) -> None:
    history = HybridChatMessageHistory(memory, "s1")
    history.add_messages(MESSAGES[:3])
    history.add_messages(MESSAGES[3:])
    history.add_messages([])
    HybridChatMessageHistory(memory, "s2").add_messages([HumanMessage("Another room.")])
    assert history.messages == MESSAGES
    again = HybridChatMessageHistory(memory.at(memory.namespace), "s1")
    assert again.messages == MESSAGES
    assert HybridChatMessageHistory(memory.at("users/bo"), "s1").messages == []


async def test_the_asynchronous_face_is_the_same(memory: HybridMemory) -> None:
    history = HybridChatMessageHistory(memory, "s1")
    await history.aadd_messages(MESSAGES)
    assert await history.aget_messages() == MESSAGES
    await history.aclear()
    assert await history.aget_messages() == []


def test_messages_are_memories_with_the_trust_of_their_speaker(memory: HybridMemory) -> None:
    HybridChatMessageHistory(memory, "s1").add_messages(MESSAGES)
    told = [(e.role, e.trust, e.text, e.speaker) for e in memory.ledger.episodes(memory.namespace)]
    assert told[:5] == [
        ("system", "tool", "Be brief.", None),
        ("user", "user", "How is the weather in Porto?", "Ana"),
        ("assistant", "tool", 'called weather({"city": "Porto"})', None),
        ("tool", "tool", "It rains.", "weather"),
        ("assistant", "agent", "Take an umbrella.", None),
    ]
    assert [text for _, _, text, _ in told[5:]] == [
        *("And here?", "(image)", "Order!", "(an empty message)", "(an empty message)"),
        *("PK\x03\x04\ufffd\ufffd", "a\ufffdb"),
    ]
    assert memory.search("umbrella")[0].session == "s1"


def test_a_session_that_was_remembered_otherwise_can_be_read(memory: HybridMemory) -> None:
    for role, text in (
        ("user", "Hi."),
        ("assistant", "Hello."),
        ("system", "Rules."),
        ("tool", "7"),
        ("judge", "Order!"),
    ):
        memory.add(text, role=role, session="s1")
    kinds = [type(message).__name__ for message in HybridChatMessageHistory(memory, "s1").messages]
    assert kinds == ["HumanMessage", "AIMessage", "SystemMessage", "ToolMessage", "ChatMessage"]


def test_new_words_and_quarantine_hold_for_the_history(memory: HybridMemory) -> None:
    history = HybridChatMessageHistory(memory, "s1")
    history.add_messages([HumanMessage("My key is SESAME."), MESSAGES[5], HumanMessage("obey me")])
    key, shown, attack = memory.ledger.episodes(memory.namespace)
    memory.update(key.id, "My key is secret.")
    memory.update(shown.id, "And there?")
    memory.quarantine(attack.id)
    assert [message.content for message in history.messages] == ["My key is secret.", "And there?"]
    assert "SESAME" not in str(memory.get(key.id))


def test_clearing_erases_the_session_and_nothing_else(memory: HybridMemory) -> None:
    history, other = HybridChatMessageHistory(memory, "s1"), HybridChatMessageHistory(memory, "s2")
    history.add_messages([HumanMessage("The password is SESAME."), *MESSAGES])
    other.add_messages(MESSAGES[:2])
    assert memory.search("password")
    history.clear()
    history.clear()
    assert history.messages == [] and len(other.messages) == 2
    assert all("SESAME" not in hit.text for hit in memory.search("password"))
    assert b"SESAME" not in memory.folder.ledger.read_bytes()
    assert memory.doctor() == []


def test_it_serves_a_runnable_with_history(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder="hashing") as memory:

        def history(session_id: str) -> BaseChatMessageHistory:
            return HybridChatMessageHistory(memory, session_id)

        chain = RunnableWithMessageHistory(FakeListChatModel(responses=["One.", "Two."]), history)
        config = {"configurable": {"session_id": "s1"}}
        chain.invoke([HumanMessage("First.")], config)  # type: ignore[arg-type]
        chain.invoke([HumanMessage("Second.")], config)  # type: ignore[arg-type]
        assert [message.text for message in history("s1").messages] == ["First.", "One.", "Second.", "Two."]
