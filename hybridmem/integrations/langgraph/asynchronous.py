"""`AsyncHybridStore`: the store for who comes from one of LangGraph's asynchronous stores."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Any

from hybridmem.integrations.langgraph.store import HybridStore


class AsyncHybridStore(HybridStore):
    """`HybridStore`, whose calls about the time to live are awaited, as `AsyncSqliteStore` and `AsyncPostgresStore`
    have them. Everything else is the same, synchronous calls included."""

    async def sweep_ttl(self) -> int:  # type: ignore[override]
        """Erase the expired items; returns how many."""
        return await asyncio.to_thread(super().sweep_ttl)

    async def start_ttl_sweeper(  # type: ignore[override]
        self, sweep_interval_minutes: float | None = None
    ) -> Future[None]:
        """`HybridStore.start_ttl_sweeper`. It returns once the sweeping has begun; cancelling the future ends it."""
        return super().start_ttl_sweeper(sweep_interval_minutes)

    async def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:  # type: ignore[override]
        """End the background sweeping; returns whether it ended within `timeout` seconds."""
        return await asyncio.to_thread(super().stop_ttl_sweeper, timeout)

    async def __aenter__(self) -> AsyncHybridStore:
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.stop_ttl_sweeper()
