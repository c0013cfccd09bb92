"""A new value replaces the old one in one transaction; `as_of` still sees what was true before."""

import tempfile

from hybridmem import HybridMemory

with tempfile.TemporaryDirectory() as folder, HybridMemory.open(f"{folder}/memory") as memory:
    memory.add_fact("Ana Brito", "lives in", "Porto", valid_from="2024-05-01")
    moved = memory.add_fact("Ana Brito", "lives in", "Lisbon", valid_from="2026-03-01")

    question = "Where does Ana Brito live?"
    print("now:   ", [hit.text for hit in memory.search(question, kinds=("fact",))])
    print("before:", [hit.text for hit in memory.search(question, kinds=("fact",), as_of="2025-12-31")])
    for event in memory.history(moved.id):
        print(event.at.date(), event.event, event.text)
