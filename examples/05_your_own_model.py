"""The same loop with any Hugging Face causal language model: pass its folder or hub name.

    python examples/05_your_own_model.py Qwen/Qwen3-0.6B

Without an argument the default base is used: `hybridmem models` says which.
"""

import sys
import tempfile

from hybridmem import HybridMemory

with (
    tempfile.TemporaryDirectory() as folder,
    HybridMemory.open(f"{folder}/memory", model=sys.argv[1] if len(sys.argv) > 1 else None) as memory,
):
    print(memory.model.name, memory.model.sha256[:16])
    memory.add("Ana Brito lives in Porto.")
    memory.add("The Heron project is led by Zane Kolu.")
    estimate = memory.dream(dry_run=True)
    print(f"a night would take about {estimate.seconds:.0f} s ({estimate.trained_tokens:,} tokens, {estimate.reason})")
