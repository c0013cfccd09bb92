"""How a call or a task ended, where something says so in so many words: an error flag, an exit code, a test runner's
summary, the user. Nothing is guessed: what says nothing is None.

>>> of_result({"is_error": False}, "3 failed, 20 passed in 1.2s")
Verdict(outcome='failure', known_by='test results')
>>> of_words("Thanks, that worked!"), of_words("Thanks.")
(Verdict(outcome='success', known_by="the user's word"), None)
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hybridmem.core.skills import KnownBy, Outcome
from hybridmem.core.text.questions import only_asks

LONGEST_VERDICT = 300
"""Characters of a message that may judge what was done before it; a longer one tells of other things."""
TAIL = 20_000
"""Characters at the end of a result in which a summary or an exit code is looked for."""
_EXIT_NAMES = ("exit_code", "exitCode", "exit_status", "returncode", "return_code")
_EXIT = re.compile(
    r"^\W*(?:process |command |script )?(?:exit(?:ed)?(?: with)?(?: code| status)|return ?code)\s*[:=]?\s*"
    r"(-?\d{1,10})\b",
    re.IGNORECASE | re.MULTILINE,
)
_COUNTED = re.compile(r"\b(\d+) (passed|failed|errors?)\b(?=[ ,;.)=]|$)", re.MULTILINE)
"""pytest, jest, vitest, cargo."""
_TESTS_FAILED = re.compile(r"^(?:FAILED \((?:failures|errors)=|test result: FAILED|--- FAIL: |FAIL\t)", re.MULTILINE)
_TESTS_PASSED = re.compile(r"^Ran \d+ tests? in [^\n]*\n+OK\b|^test result: ok\b|^ok  \t", re.MULTILINE)
"""unittest, cargo, go."""
_NOT = r"(?:n't|n’t|nt| not| never| no longer)"
_FAILED = re.compile(
    rf"\b(?:(?:did|does|do|is|was|has|have|wo|ca|could){_NOT} "
    r"(?:work|help|fix|solve|run|pass|build|right|what i|worked)\w*"
    r"|(?:still|again) (?:fails?|failing|failed|broken|wrong|red)"
    r"|(?:that|it|this)(?:['’]s| is| was)? (?:failed|fails|broke\w*|wrong|all wrong)"
    r"|not (?:fixed|working|solved))\b",
    re.IGNORECASE,
)
_CLAUSE_ENDS = (
    r"(?=(?: now| again| perfectly| great| fine| well| like a charm|,? thanks| thank you)*\s*"
    r"(?:[.!,;:)]|$|\band\b|\bbut\b))"
)
"""Behind a verdict: "it works with Python 3.11" judges nothing."""
_WORKED = re.compile(
    r"\b(?:(?:that|it|this|everything|all)(?: all| now| just| really)* (?:worked|works|passes|passed|runs|builds)"
    r"|(?:that|it|this)(?:['’]s| is| was)(?: now| exactly| just)* "
    r"(?:fixed|solved|working|right|correct|what i (?:wanted|needed))"
    rf"|works|worked|fixed it|solved it|perfect){_CLAUSE_ENDS}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and what told it."""

    outcome: Literal["success", "failure"]
    known_by: KnownBy


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: with a verdict, or unknown."""

    outcome: Outcome
    known_by: KnownBy | None

    @classmethod
    def of(cls, verdict: Verdict | None) -> Ending:
        return cls("unknown", None) if verdict is None else cls(verdict.outcome, verdict.known_by)


def of_result(result: Mapping[str, Any], text: str) -> Verdict | None:
    """What the result of a call says of it: the object that holds it, and its text.

    An error outweighs all else; tests outweigh the exit code of the command that ran them, which may be that of a
    filter behind it."""
    flag = _flag(result)
    tail = text[-TAIL:]
    code = _exit_code(result, tail)
    if flag is False:
        return Verdict("failure", "the error flag" if code in (None, 0) else "the exit code")
    if code:
        return Verdict("failure", "the exit code")
    if (passed := _tests(tail)) is not None:
        return Verdict("success" if passed else "failure", "test results")
    if code == 0:
        return Verdict("success", "the exit code")
    return Verdict("success", "the error flag") if flag else None


def of_words(text: str) -> Verdict | None:
    """What the user's `text` says of what was done before it; None where it says neither, or both."""
    if len(text) > LONGEST_VERDICT or only_asks(text):
        return None
    failed = _FAILED.search(text) is not None
    worked = _WORKED.search(_FAILED.sub(" ", text)) is not None
    if failed == worked:
        return None
    return Verdict("failure" if failed else "success", "the user's word")


def _flag(result: Mapping[str, Any]) -> bool | None:
    """Whether the result says that the call went well: `is_error` of Anthropic, `isError` of MCP, `status` of LangChain
    and Bedrock, `success` of Codex."""
    for name in ("is_error", "isError"):
        if isinstance(result.get(name), bool):
            return not result[name]
    if isinstance(result.get("success"), bool):
        return bool(result["success"])
    status = result.get("status")
    if status in ("success", "error"):
        return bool(status == "success")
    return None


def _exit_code(result: Mapping[str, Any], text: str) -> int | None:
    """The exit code of a process, in a field of the result, of the JSON that its text is, or on a line of its own."""
    held: list[Any] = [result]
    if text.lstrip().startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            held.append(json.loads(text))
    for each in held:
        for place in (each, each.get("metadata")) if isinstance(each, Mapping) else ():
            for name in _EXIT_NAMES:
                if isinstance(place, Mapping) and isinstance(place.get(name), int):
                    return int(place[name])
    found = _EXIT.findall(text)
    return int(found[-1]) if found else None


def _tests(text: str) -> bool | None:
    """Whether the tests passed, by the summary of their runner; None where there is none."""
    counts = {what.rstrip("s"): int(count) for count, what in _COUNTED.findall(text)}
    if _TESTS_FAILED.search(text) or counts.get("failed"):
        return False
    if "passed" in counts or "failed" in counts:
        return not counts.get("error") and bool(counts.get("passed"))
    return True if _TESTS_PASSED.search(text) else None
