"""A reader at an endpoint that speaks OpenAI's API."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hybridmem.core.errors import MissingExtra, ModelError
from hybridmem.models.prompts import Message
from hybridmem.models.reader.base import RemoteReading, reading
from hybridmem.models.reader.replies import cleaned, excerpt
from hybridmem.models.reader.settings import ReaderSettings

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
OPENAI_URL_VARIABLE = "OPENAI_BASE_URL"
ROOM = 1024
"""Tokens that a reply may have at least: some models think before they answer, and the others stop by themselves."""
LOST = (400, 413, 422)
"""Statuses that concern one prompt, where the endpoint has answered others: too long for it, or not to its liking."""
FILTERED = ("content_filter", "content_policy_violation")
"""Codes of a refusal that concerns one prompt."""


class OpenAIReader:
    """A `Reader` on the chat model `model` of an endpoint that speaks OpenAI's API, at `url` (with its ``/v1``).

    Its client is OpenAI's own, which repeats what failed by an overloaded or restarted server. Raises `MissingExtra`
    where that is missing, and `ModelError` where the endpoint does not answer or refuses every prompt; a prompt that it
    refuses alone is a reading without text."""

    follows_examples = True
    """It does the memory jobs by worked examples (see `skills`)."""

    def __init__(
        self, model: str, url: str = OPENAI_URL, *, key: str | None = None, settings: ReaderSettings | None = None
    ) -> None:
        try:
            import openai
        except ImportError:
            raise MissingExtra(
                "a reader at an endpoint needs OpenAI's client: pip install 'hybridmem[reader]'"
            ) from None
        self.settings = settings or ReaderSettings()
        self.name = f"openai:{model}"
        self._model = model
        self._url = url.rstrip("/")
        self._key = key
        self._client = openai.OpenAI(
            base_url=self._url,
            api_key=key or "none",
            timeout=self.settings.timeout,
            max_retries=self.settings.retries,
        )
        self._length = "max_tokens"
        self._options: dict[str, Any] = {"temperature": 0}
        self._headers = None if key else {"Authorization": openai.Omit()}
        self._has_answered = False

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24) -> list[RemoteReading]:
        """Up to `settings.at_once` requests at a time. Replies may be longer than `max_new_tokens`."""
        with ThreadPoolExecutor(self.settings.at_once) as pool:
            read = list(pool.map(lambda prompt: self._complete(prompt, max(ROOM, max_new_tokens)), prompts))
        if read and not self._has_answered:
            raise ModelError(
                f"the reader {self._model} at {self._url} refuses every prompt ({read[0].refused}): {advice(None)}"
            )
        return read

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _complete(self, prompt: Sequence[Message], longest: int) -> RemoteReading:
        import openai

        try:
            answer = self._asked(prompt, longest)
        except openai.APIConnectionError as error:
            raise ModelError(
                f"the reader at {self._url} does not answer ({type(error).__name__}): start it, or correct its address"
            ) from None
        except openai.APIStatusError as error:
            said = excerpt(error.response.text, self._key)
            if error.code in FILTERED:
                self._has_answered = True
            if error.code in FILTERED or error.status_code in LOST:
                return reading(prompt, "", 0, 0, refused=said)
            raise ModelError(
                f"the reader {self._model} at {self._url} refuses with {error.status_code} ({said}): "
                f"{advice(error.status_code)}"
            ) from None
        try:
            choice = answer["choices"][0]
            text = cleaned(choice["message"].get("content") or "")
            declined = choice["message"].get("refusal") or choice.get("finish_reason") == "content_filter"
            usage = answer.get("usage") or {}
            counted = usage.get("prompt_tokens"), usage.get("completion_tokens")
        except (LookupError, TypeError, AttributeError):
            raise ModelError(
                f"the reader at {self._url} answers in another form than OpenAI's: correct its address"
            ) from None
        self._has_answered = True
        return reading(prompt, "" if declined else text, *counted, "the model declined" if declined else "")

    def _asked(self, prompt: Sequence[Message], longest: int) -> Any:
        """The reply's JSON, or None where it is none. Newer models refuse two of the older options: they are asked
        again without them."""
        import openai

        asked: Any = self._client.chat.completions.with_raw_response
        while True:
            length, options = self._length, dict(self._options)
            try:
                raw = asked.create(
                    model=self._model,
                    messages=list(prompt),
                    extra_headers=self._headers,
                    **{length: longest},
                    **options,
                )
            except openai.BadRequestError as error:
                said = error.response.text
                if length == "max_tokens" and "max_completion_tokens" in said:
                    self._length = "max_completion_tokens"
                elif "temperature" in options and "temperature" in said:
                    self._options = {}
                else:
                    raise
                continue
            try:
                return raw.http_response.json()
            except ValueError:
                return None


def advice(status: int | None) -> str:
    """What to do about an endpoint that answers with that status."""
    if status in (401, 403):
        return f"set {OPENAI_KEY}, or the key of your provider"
    if status == 429:
        return "it is asked too often or its credit is used up: dream again later, or with a smaller at_once"
    if status is not None and status >= 500:
        return "the server has a problem: dream again later"
    return "correct its name or address"
