"""What chat models put around a reply, and secrets in what providers say."""

from __future__ import annotations

import os
import re

LONGEST_EXCERPT = 160
"""Characters of a provider's own words in an error."""
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)|\A.*?</think(?:ing)?>", re.DOTALL)
_FENCE = re.compile(r"^\s*```[\w-]*\s*$", re.MULTILINE)
_LABEL = re.compile(r"\A(?:final )?answer:\s*", re.IGNORECASE)
_QUOTED = re.compile(r"\A([\"'“‘])([^\"'“”‘’]*)[\"'”’]\Z")
_SECRET = re.compile(r"(?:KEY|TOKEN|SECRET|PASSWORD)\Z")
_SHORTEST_SECRET = 6


def cleaned(text: str) -> str:
    """A reply without what it thought, Markdown's marks, a label and quotation marks around all of it.

    >>> cleaned("<think>Ana, so Riga?</think>\\n```\\nAnswer: **Riga**\\n```")
    'Riga'
    >>> cleaned('"Riga"')
    'Riga'
    """
    said = _FENCE.sub("", _THOUGHT.sub("", text)).replace("**", "").strip()
    said = _LABEL.sub("", said)
    quoted = _QUOTED.match(said)
    return quoted[2] if quoted else said


def excerpt(text: str, *secrets: str | None) -> str:
    """The beginning of what a provider said, in one line and without `secrets`, nor any that the environment holds:
    some providers repeat the key that they refuse."""
    kept = {value for name, value in os.environ.items() if _SECRET.search(name)}
    for secret in sorted((s for s in {*kept, *secrets} if s and len(s) >= _SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(text.split())[:LONGEST_EXCERPT]
