"""The large model that your agent talks to already reads and writes; the small local base holds the weights.

    OPENAI_API_KEY=... python examples/12_your_agents_model.py openai:gpt-5-mini,price_in=0.25,price_out=2
    python examples/12_your_agents_model.py openai:llama3.1:8b@http://localhost:11434/v1

In your agent, pass the LangChain chat model that you have: HybridMemory.open("memory", reader=chat_model). The reader
is sent what it reads: the new episodes at night, and the memories that a question finds.
"""

import sys
import tempfile

from hybridmem import HybridMemory

if len(sys.argv) != 2:
    sys.exit(f"name the model: python {sys.argv[0]} openai:MODEL or openai:MODEL@http://HOST:PORT/v1")

with tempfile.TemporaryDirectory() as folder, HybridMemory.open(f"{folder}/memory", reader=sys.argv[1]) as memory:
    memory.add("Ana Brito lives in Porto.")
    memory.add("I wish Ana Brito lived in Rome.")
    print("by day:", memory.answer("Where does Ana Brito live?").text)

    estimate = memory.dream(dry_run=True)
    print("a night would take", estimate.reader)

    report = memory.dream()
    print(f"night {report.night}: {report.status}, {report.new_facts} fact")
    for step in report.steps:
        if step.reader is not None:
            print(
                f"  {step.name:8} {step.reader.calls:4} calls {step.reader.tokens:7,} tokens  cost {step.reader.cost}"
            )

    # The weights answer by themselves: no call, nothing leaves this machine.
    answer = memory.answer("Where does Ana Brito live?", route="weights")
    print(f"from the weights: {answer.text} ({answer.prompt_tokens} prompt tokens)")

    memory.adapters.promote(None)  # the bare base; after a second night, rollback() goes back to the first
    print("rolled back:", memory.answer("Where does Ana Brito live?").route)
