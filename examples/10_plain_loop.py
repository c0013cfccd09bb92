"""An agent as a plain loop, without a framework, over any Hugging Face causal language model.

    python examples/10_plain_loop.py Qwen/Qwen3-0.6B

Each turn recalls, answers and remembers. Without an argument the default base is used.
"""

import sys
import tempfile

from hybridmem import HybridMemory, conversation

TURNS = (
    "My sister Mira works as a nurse.",
    "The Heron project is led by Zane Kolu.",
    "Who leads the Heron project?",
)

with (
    tempfile.TemporaryDirectory() as folder,
    HybridMemory.open(f"{folder}/memory", model=sys.argv[1] if len(sys.argv) > 1 else None) as memory,
):
    for said in TURNS:
        messages = [{"role": "user", "content": said}]
        reply = conversation.respond(memory, messages)
        conversation.remember(memory, messages, reply.text, recalled=reply.evidence, session="today")
        print(f"> {said}\n{reply.text}" + (f"   [{reply.route}]" if reply.route else ""))
