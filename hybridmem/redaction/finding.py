"""What is secret in a text, and the text without it."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from hybridmem.redaction.cards import cards
from hybridmem.redaction.passwords import passwords
from hybridmem.redaction.tokens import tokens

KEPT = 4096
"""Texts whose redaction is remembered: a dream reads the same ones in several steps."""
_MARK = re.compile(r"\[(?:card number|password|PIN|key|private key) removed\]")


@dataclass(frozen=True, slots=True)
class Finding:
    """One secret in a text. It holds the place, and not the secret."""

    kind: str
    """What it looks like: ``card number``, ``password``, ``PIN``, ``key`` or ``private key``."""
    start: int
    end: int
    """Its place in the text, in characters."""


def find(text: str) -> tuple[Finding, ...]:
    """The secrets in `text`, in their order; where two overlap, they are one of the first's kind."""
    joined: list[Finding] = []
    spans = sorted((*tokens(text), *cards(text), *passwords(text)), key=lambda span: (span[0], -span[1]))
    for start, end, kind in spans:
        if joined and start < joined[-1].end:
            joined[-1] = Finding(joined[-1].kind, joined[-1].start, max(end, joined[-1].end))
        else:
            joined.append(Finding(kind, start, end))
    return tuple(joined)


@functools.lru_cache(KEPT)
def redact(text: str) -> str:
    """`text` with the name of its kind in place of each secret; the same text where there is none.

    >>> redact("The wifi password is Tr0ub4dor&3, and the cat is called Momo.")
    'The wifi password is [password removed], and the cat is called Momo.'
    """
    parts, at = [], 0
    for finding in find(text):
        parts += [text[at : finding.start], f"[{finding.kind} removed]"]
        at = finding.end
    return "".join([*parts, text[at:]]) if parts else text


def is_redacted(text: str) -> bool:
    """Whether something was removed from `text`."""
    return _MARK.search(text) is not None
