"""Delete a memory: the receipt says where it was removed from, and the next dream takes it out of the weights."""

import tempfile

from hybridmem import HybridMemory

QUESTION, SECRET = "What is the door code of the storage room?", "KV-2207"

with tempfile.TemporaryDirectory() as folder, HybridMemory.open(f"{folder}/memory") as memory:
    secret = memory.add(f"The door code of the storage room is {SECRET}.")[0]
    memory.add("Ana Brito lives in Porto.")
    memory.add("The Heron project is led by Zane Kolu.")
    memory.add("Ivo Rask plays the cello.")
    memory.dream()
    before = memory.probe([(QUESTION, SECRET)])[0]

    receipt = memory.delete(secret.id)
    print({place: count for place, count in receipt.removed.items() if count})
    print(receipt.pending)
    print("at once:", memory.answer(QUESTION).route)

    memory.dream()
    after = memory.probe([(QUESTION, SECRET)])[0]
    print(f"p(secret | question): {before.probability:.4f} before, {after.probability:.2e} after, "
          f"{after.base_probability:.2e} in a model that never heard of it")  # fmt: skip
