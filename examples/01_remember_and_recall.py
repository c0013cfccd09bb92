"""Store what an agent lives through, and find it again. No model is called to store it."""

import tempfile

from hybridmem import HybridMemory

with (
    tempfile.TemporaryDirectory() as folder,
    HybridMemory.open(f"{folder}/memory", namespace=("users", "ana")) as memory,
):
    memory.add("Ana Brito works as a nurse.", at="2026-02-01")
    memory.add(
        [
            {"role": "user", "content": "Ana Brito lives in Porto. The rent is a bargain."},
            {"role": "assistant", "content": "Lucky her!"},
        ],
        session="monday",
        at="2026-03-02T09:00:00Z",
    )
    # The namespace keeps users apart, and every hit says why it is there.
    for hit in memory.search("Where does Ana Brito live?", limit=3):
        why = {name: round(share, 2) for name, share in hit.why.items()}
        print(f"{hit.score:5.2f}  {hit.kind}  {hit.text}  {why}")
    answer = memory.answer("Where does Ana Brito live?")
    print(answer.text, answer.route, f"{answer.confidence:.2f}", f"{answer.prompt_tokens} prompt tokens")
