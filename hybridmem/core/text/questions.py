"""Whether a text asks something, and whether that is all that it does."""

from __future__ import annotations

import re

from hybridmem.core.text.sentences import sentences

_QUESTION_MARK = re.compile(r"[?？؟][\s\"'”’)]*(\[photo: [^\]]*\])?\s*$")
"""At the end of a turn; LoCoMo's importer writes a shared photo behind the words."""
_OPENING = re.compile(
    r"(who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|will|would|should|has|have"
    r"|tell me|remind me)\b",
    re.IGNORECASE,
)
_VERB = r"(?:is|are|am|was|were|do|does|did|can|could|will|would|should|has|have|had|might|may|must)"
_UNMARKED = re.compile(
    # "where does Ana live", "how many cats does Ana have"; not "when I was in Porto", "what she said was kind"
    rf"(?:(?:who|whom|what|where|which|why|how|when)(?:'s|\s+{_VERB})"
    rf"|(?:which|whose|how|what(?!\s+(?:i|we|you|he|she|they|it)\b))\s+\w+(?:\s+\w+)?\s+{_VERB}"
    # "is Ana in Porto"; "can", "will" and "may" are also names, and "have" and "do" begin commands
    r"|(?:is|are|am|was|were|does|did|could|would|should)\s+\w"
    r"|(?:can|will|do|have|has|may)\s+(?:you|i|we|they|he|she|it|the|my|our|your|this|that|there|any)"
    r"|tell me|remind me)\b[^.!。]*$",
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


def only_asks(text: str) -> bool:
    """Whether `text` states nothing: each of its sentences asks. In doubt it states something.

    >>> only_asks("Where does Ana live?"), only_asks("where does Ana live"), only_asks("I moved. Where is a gym?")
    (True, True, False)
    >>> only_asks("When I was in Porto I met Rui"), only_asks("Will Smith lives in Oslo"), only_asks("")
    (False, False, False)
    """
    parts = sentences(text)
    return bool(parts) and all(ends_as_question(part) or _UNMARKED.match(part) for part in parts)
