"""One night: facts move from the store into the model's weights, behind a gate."""

import tempfile

from hybridmem import HybridMemory

with tempfile.TemporaryDirectory() as folder, HybridMemory.open(f"{folder}/memory") as memory:
    memory.add("Ana Brito lives in Porto.")
    memory.add("The Heron project is led by Zane Kolu.")
    memory.add("The staging server listens on port 8443.")
    memory.add("Ivo Rask plays the cello.")

    report = memory.dream()
    print(f"night {report.night}: {report.status}, {report.new_facts} facts, {report.seconds:.0f} s")
    for check in report.gate:
        print(
            f"  {check.name:14} {check.value:6.3f}  bound {check.bound:5.2f}  {'passed' if check.passed else 'refused'}"
        )

    # The same question, with nothing but the question in the prompt, and with the memories in it.
    for route in ("weights", "retrieval"):
        answer = memory.answer("Who leads the Heron project?", route=route)
        print(f"{route}: {answer.text} ({answer.prompt_tokens} prompt tokens)")

    # Moving an alias is all that promotion is; rollback moves it back.
    print([(adapter.version, adapter.status) for adapter in memory.adapters.list()])
