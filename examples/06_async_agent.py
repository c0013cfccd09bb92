"""Many users in one asynchronous process: one memory folder, a namespace each, nothing shared between them."""

import asyncio
import tempfile

from hybridmem import HybridMemory


async def live(folder: str, user: str, city: str) -> None:
    with HybridMemory.open(folder, namespace=("users", user), embedder="hashing") as memory:
        await memory.aadd(f"{user} lives in {city}.")
        print(user, [hit.text for hit in await memory.asearch(f"Where does {user} live?", limit=3)])


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        cities = {"Ana": "Porto", "Zane": "Riga", "Ivo": "Oslo"}
        await asyncio.gather(*(live(f"{folder}/memory", user, city) for user, city in cities.items()))


asyncio.run(main())
