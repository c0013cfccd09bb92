"""`AsyncMemory`: the calls of `Memory`, each in a worker thread, without a second implementation."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from hybridmem.integrations.mem0.memory import Memory
from hybridmem.memory import HybridMemory

P = ParamSpec("P")
T = TypeVar("T")


def _twin(
    method: Callable[Concatenate[Memory, P], T],
) -> Callable[Concatenate[AsyncMemory, P], Coroutine[Any, Any, T]]:
    @functools.wraps(method)
    async def twin(self: AsyncMemory, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(method, self._memory, *args, **kwargs)

    return twin


class AsyncMemory:
    """`Memory` for asynchronous callers."""

    def __init__(self, config: Mapping[str, Any] | None = None, *, memory: HybridMemory | None = None) -> None:
        self._memory = Memory(config, memory=memory)

    @classmethod
    def from_config(cls, config_dict: Mapping[str, Any]) -> AsyncMemory:
        return cls(config_dict)

    add = _twin(Memory.add)
    search = _twin(Memory.search)
    get = _twin(Memory.get)
    get_all = _twin(Memory.get_all)
    update = _twin(Memory.update)
    delete = _twin(Memory.delete)
    delete_all = _twin(Memory.delete_all)
    history = _twin(Memory.history)
    reset = _twin(Memory.reset)

    def close(self) -> None:
        self._memory.close()

    async def __aenter__(self) -> AsyncMemory:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
