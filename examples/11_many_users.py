"""Many users in one process: one folder, one model and one index for all, a namespace each, nothing shared between."""

import tempfile
from concurrent.futures import ThreadPoolExecutor

from hybridmem import HybridMemory

CITIES = {"Ana": "Porto", "Zane": "Riga", "Ivo": "Oslo", "Mira": "Graz"}

with (
    tempfile.TemporaryDirectory() as folder,
    HybridMemory.open(f"{folder}/memory") as memory,
    ThreadPoolExecutor(max_workers=4) as threads,
):

    def live(user: str) -> list[str]:
        mine = memory.at(("users", user.lower()))
        mine.add(f"{user} lives in {CITIES[user]}.")
        return [hit.text for hit in mine.search("Who lives where?")]

    for user, found in zip(CITIES, threads.map(live, CITIES), strict=True):
        print(user, found)
