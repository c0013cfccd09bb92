"""One model that many threads ask at once: what comes while it is busy is answered in one batch, whatever the adapters.

Nobody waits for others to come. A thread that finds the model idle asks alone, and the next one takes along all that
have come meanwhile (the combining of Hendler et al. 2010, doi:10.1145/1810479.1810540).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybridmem.core.errors import CorruptAdapter
from hybridmem.models.base import Generation, Hear, LanguageModel, generate_mixed, speak, speak_answer
from hybridmem.models.prompts import Message


@dataclass(eq=False, slots=True)
class _Request:
    """What one thread asks for, and waits for."""

    prompts: list[Sequence[Message]]
    adapter: Path | None
    woken: threading.Event = field(default_factory=threading.Event)
    """Set once there is an outcome, or once it is this thread's turn to ask for all."""
    said: list[Generation] | None = None
    error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return self.said is not None or self.error is not None

    def outcome(self) -> list[Generation]:
        if self.error is not None:
            raise self.error
        return self.said or []


class Together:
    """A `models.base.LanguageModel` that is `model`, as threads share it. An adapter is in force for its thread alone,
    so that it may change between two answers while others are being written.

    An adapter's files are looked at when something is asked of it, and not before. A thread that is within `adapted` of
    `model` itself must not ask here: others may wait for it, and it for them."""

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._own = threading.local()
        self._lock = threading.Lock()
        self._waiting: list[_Request] = []
        self._is_led = False

    def __getattr__(self, name: str) -> Any:
        # What only some models have, such as `context_length` and `jobs`.
        return getattr(self._model, name)

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def sha256(self) -> str:
        return self._model.sha256

    @contextmanager
    def adapted(self, adapter: Path | None) -> Iterator[None]:
        before = self._adapter
        self._own.adapter = adapter
        try:
            yield
        finally:
            self._own.adapter = before

    def generate_answers(self, prompts: Sequence[Sequence[Message]]) -> list[Generation]:
        """What `AnswerWriter` promises, in one batch with what other threads ask meanwhile."""
        request = _Request(list(prompts), self._adapter)
        with self._lock:
            self._waiting.append(request)
            leads, self._is_led = not self._is_led, True
        if not leads:
            request.woken.wait()
        if not request.is_done:
            self._ask_for_all()
        return request.outcome()

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[Generation]:
        with self._fitted():
            return self._model.generate(prompts, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)

    def speak(
        self,
        prompt: Sequence[Message],
        hear: Hear,
        *,
        max_new_tokens: int = 24,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> Generation:
        with self._fitted():
            return speak(self._model, prompt, hear, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)

    def speak_answer(self, prompt: Sequence[Message], hear: Hear) -> Generation:
        with self._fitted():
            return speak_answer(self._model, prompt, hear)

    def logprobs(self, prompts: Sequence[Sequence[Message]], completions: Sequence[str]) -> list[list[float]]:
        with self._fitted():
            return self._model.logprobs(prompts, completions)

    def count_tokens(self, prompt: Sequence[Message]) -> int:
        return self._model.count_tokens(prompt)

    @property
    def _adapter(self) -> Path | None:
        adapter: Path | None = getattr(self._own, "adapter", None)
        return adapter

    @contextmanager
    def _fitted(self) -> Iterator[None]:
        with _files_there(self._adapter), self._model.adapted(self._adapter):
            yield

    def _ask_for_all(self) -> None:
        """Ask for what waits by now, and wake the next thread to ask for what has come meanwhile."""
        with self._lock:
            requests, self._waiting = self._waiting, []
        try:
            self._ask(requests)
        finally:
            with self._lock:
                self._is_led = bool(self._waiting)
                following = self._waiting[:1]
            for request in (*requests, *following):
                request.woken.set()

    def _ask(self, requests: Sequence[_Request]) -> None:
        try:
            self._ask_at_once(requests)
        except Exception as error:  # noqa: BLE001 - it is raised in the thread that asked
            if len(requests) == 1:
                requests[0].error = error
                return
            # One of them is at fault, and the others are to have their answers.
            for request in requests:
                self._ask([request])
        except BaseException as error:
            for request in requests:
                request.error = error
            raise

    def _ask_at_once(self, requests: Sequence[_Request]) -> None:
        prompts = [prompt for request in requests for prompt in request.prompts]
        adapters = [request.adapter for request in requests for _ in request.prompts]
        with _files_there(requests[0].adapter):
            said = iter(generate_mixed(self._model, prompts, adapters))
        for request in requests:
            request.said = [next(said) for _ in request.prompts]


@contextmanager
def _files_there(adapter: Path | None) -> Iterator[None]:
    """`adapters.load_verified` saw the files. Where they are gone by now, it says so as that would."""
    try:
        yield
    except FileNotFoundError:
        if adapter is None:
            raise
        raise CorruptAdapter(
            f"the weights of {adapter.name} were removed while they were loaded: "
            f"promote another version, or dream again"
        ) from None
