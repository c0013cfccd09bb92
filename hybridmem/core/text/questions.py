"""Whether a text asks something."""

from __future__ import annotations

import re

_QUESTION_MARK = re.compile(r"[?？؟][\s\"'”’)]*(\[photo: [^\]]*\])?\s*$")
"""At the end of a turn; LoCoMo's importer writes a shared photo behind the words."""
_OPENING = re.compile(
    r"(who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have"
    r"|tell me|remind me)\b",
    re.IGNORECASE,
)


def ends_as_question(text: str) -> bool:
    """Whether `text` ends in a question mark, behind which a quotation or a bracket may close.

    >>> ends_as_question('She asked: "where to?"'), ends_as_question("Why? I forgot.")
    (True, False)
    """
    return _QUESTION_MARK.search(text) is not None


def asks(text: str) -> bool:
    """Whether `text` asks something, by its end or by its first word.

    >>> asks("Where does Ana live?"), asks("remind me where Ana lives"), asks("Ana lives in Porto.")
    (True, True, False)
    """
    return ends_as_question(text) or _OPENING.match(text.strip()) is not None
