"""LangChain's own suites for chat models: on a double, on the memory in front of it, and on the memory's own model."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from hybridmem import HybridMemory
from hybridmem.integrations.langchain import HybridChatModel
from tests.integrations.langchain.double import ToolCallingChatModel


class Double:
    @pytest.fixture(autouse=True)
    def _no_fetching(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The suite's pictures and recordings come from the web: here any bytes will do."""
        answer = httpx.Response(200, content=b"bytes of a picture", request=httpx.Request("GET", "https://example.org"))
        monkeypatch.setattr(httpx, "get", lambda *arguments, **options: answer)

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ToolCallingChatModel

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_image_inputs(self) -> bool:
        return True

    @property
    def supports_image_urls(self) -> bool:
        return True

    @property
    def supports_pdf_inputs(self) -> bool:
        return True

    @property
    def supports_audio_inputs(self) -> bool:
        return True

    @property
    def supports_image_tool_message(self) -> bool:
        return True

    @property
    def supports_pdf_tool_message(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def model_override_value(self) -> str:
        return "double-2"


class Wrapped(Double):
    @pytest.fixture(autouse=True)
    def _remember(self, memory: HybridMemory) -> None:
        self.memory = memory
        memory.add("Ana lives in Porto, where one says hello.")
        memory.add("Ana tells jokes about cats.")

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return HybridChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"memory": self.memory, "wrapped": ToolCallingChatModel()}


class Own:
    """The memory's own model calls no tools, gives no structure and sees no pictures."""

    @pytest.fixture(autouse=True)
    def _remember(self, memory: HybridMemory) -> None:
        self.memory = memory
        memory.add("Ana lives in Porto.")

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return HybridChatModel

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"memory": self.memory}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False

    @property
    def supports_model_override(self) -> bool:
        return False


class TestDoubleUnit(Double, ChatModelUnitTests): ...


class TestDouble(Double, ChatModelIntegrationTests): ...


class TestWrappedUnit(Wrapped, ChatModelUnitTests): ...


class TestWrapped(Wrapped, ChatModelIntegrationTests): ...


class TestOwnUnit(Own, ChatModelUnitTests): ...


class TestOwn(Own, ChatModelIntegrationTests):
    def test_it_is_the_memory_that_answers(self, model: BaseChatModel) -> None:
        answer = model.invoke("Where does Ana live?")
        assert isinstance(answer, AIMessage)
        assert (answer.content, answer.response_metadata["route"]) == ("Porto", "retrieval")
