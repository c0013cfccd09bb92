"""Who said a text, and how far that is trusted: the one place where a role becomes a trust.

Every path that stores words asks here: Python, messages, importers, HTTP, MCP and the integrations. A role that nobody
has heard of is trusted least, so that a new kind of tool or agent never passes for the user.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import get_args

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Trust

TRUSTS: tuple[Trust, ...] = get_args(Trust)
"""Most trusted first."""
LEAST_TRUSTED = TRUSTS[-1]

_ROLES: Mapping[str, str] = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "agent": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "chatgpt": "assistant",
    "claude": "assistant",
    "copilot": "assistant",
    "gemini": "assistant",
    "gpt": "assistant",
    "llm": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
    "ipython": "tool",
    "observation": "tool",
    "tool_result": "tool",
}
_TRUST: Mapping[str, Trust] = {"user": "user", "assistant": "agent", "system": "tool", "tool": "tool", "web": "web"}
"""Who vouches for a role's words. A system prompt is no experience: it can be found and is never trained on."""


_MODEL = re.compile(
    r"(?:chat)?gpt[ -]?\d.*|claude[ -](?:\d|v\d|opus|sonnet|haiku|instant|code|ai).*"
    r"|gemini[ -](?:\d|pro|flash|ultra|nano|advanced).*"
    r"|(?:llama|qwen|mistral|mixtral|deepseek|grok|phi|gemma)[ -]?v?\d.*"
    r"|o[134](?:-(?:mini|pro|preview).*)?|(?:bing|github|microsoft) (?:chat|copilot)|ai assistant|copilot chat"
)
"""Names of models, by which exports call the assistant."""


def is_role(named: object) -> bool:
    """Whether `named` is one of the spellings of a role that chats and logs use."""
    return isinstance(named, str) and (_spelling(named) in _ROLES or _MODEL.fullmatch(_spelling(named)) is not None)


def role_of(named: object) -> str:
    """The role that a chat or a log calls `named`; one that nobody has heard of is kept as it is. Raises
    `InvalidInput` for what is no word.

    >>> role_of("Human"), role_of("gemini"), role_of("GPT-4o"), role_of("critic")
    ('user', 'assistant', 'assistant', 'critic')
    """
    if not isinstance(named, str) or not named.strip():
        raise InvalidInput("its role is not a word: name one, such as user, assistant or tool")
    known = _ROLES.get(_spelling(named))
    return known or ("assistant" if _MODEL.fullmatch(_spelling(named)) else named.strip())


def _spelling(named: str) -> str:
    """The word that counts: LangChain's classes call themselves AIMessageChunk, HumanMessage."""
    word = named.strip().lower()
    return word.removesuffix("chunk").removesuffix("message") or word


def trust_of(role: str) -> Trust:
    """Who vouches for the words of `role`.

    >>> [trust_of(role) for role in ("user", "assistant", "ipython", "critic")]
    ['user', 'agent', 'tool', 'web']
    """
    return _TRUST.get(role_of(role), LEAST_TRUSTED)


def checked_trust(named: object) -> Trust:
    """`named`, when it is a trust. Raises `InvalidInput`."""
    for trust in TRUSTS:
        if named == trust:
            return trust
    raise InvalidInput(f"its trust {str(named)[:40]!r} is not one of {', '.join(TRUSTS)}")


def stored_trust(named: str) -> Trust:
    """The trust of a record in an older ledger, which took any word: an unknown one is trusted least."""
    return next((trust for trust in TRUSTS if trust == named), LEAST_TRUSTED)


def least_trusted(*trusts: Trust) -> Trust:
    """The lowest of `trusts`: what is said by one and passed on by another is as good as the weaker of them."""
    return max(trusts, key=TRUSTS.index)


def most_trusted(*trusts: Trust) -> Trust:
    """The highest of `trusts`: what several state is as good as the best of them."""
    return min(trusts, key=TRUSTS.index)


def is_weaker(one: Trust, other: Trust) -> bool:
    """Whether `one` is trusted less than `other`."""
    return TRUSTS.index(one) > TRUSTS.index(other)
