"""How the bundled base model is made, from documents to weights: its texts, its tokenizer, its training loop.

It is for a checkout and no part of the wheel; nothing in `hybridmem` imports it. Run it from the repository's root:
``python -m lab.train --help``.
"""
