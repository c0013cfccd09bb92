"""Passwords, PINs and keys that a text names as such: "the password is ...", "api_key = ...".

"The password is wrong" tells none: behind "is", what is taken for a password has a digit, a sign or a capital within,
is quoted, or ends its clause and is none of the words that are said of passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from hybridmem.redaction.cards import Span

PASSWORD, PIN, KEY = "password", "PIN", "key"

_WORDS_FOR_IT = (
    r"pass[ -]?(?:word|phrase|code|wd)|passwd|pwd|passwort|kennwort|mot de passe|contraseña|contrasena|senha|wachtwoord"
    r"|lösenord|hasło|parola|пароль"
)
_WORDS_FOR_KEYS = (
    r"(?:api|access|secret|private|auth|client|account|service|encryption|license|signing)[ _-]?(?:key|token|secret)"
    r"|secret[ _-]access[ _-]key|bearer[ _-]token|client[ _-]secret|webhook[ _-]secret"
)
_BETWEEN = r"[\"'`\]]?(?:\s+(?:for|to|of|on|at|für|de|del|do|da|du|der|des|voor)(?:\s+[^\s:=,.;!?]+){1,5}?)?\s*"
_SAYS = r"(?P<says>\b(?:is|was|are|lautet|ist|es|est|é|jest)\b|:=|[:=]>?|—|–|это)\s*(?:now\s+|still\s+)?"
_VALUE = r"(?:(?P<quote>[\"'`“„«])(?P<quoted>[^\"'`”“»\n]{3,200})[\"'`”“»]|(?P<bare>[^\s\"'`“„«\[\]<>{}()]{3,200}))"

_PASSWORD = re.compile(rf"\b(?:\w*_)?(?:{_WORDS_FOR_IT}){_BETWEEN}{_SAYS}{_VALUE}", re.IGNORECASE)
_KEY = re.compile(rf"\b(?:\w*_)?(?:{_WORDS_FOR_KEYS}){_BETWEEN}{_SAYS}{_VALUE}", re.IGNORECASE)
_PIN = re.compile(
    rf"\b(?:PIN|Pin|pin (?:code|number)|PIN[- ](?:code|Code|number)){_BETWEEN}{_SAYS}(?P<bare>\d{{4,12}})(?![\w-])"
)
_SHORTEST = 4
_CLAUSE_ENDS = re.compile(r"\s*(?:$|[.,;!?)\n]|and\b|but\b|und\b|y\b|et\b)")
_SAID_OF = re.compile(
    r"(?:the|a|an|my|your|our|his|her|their|its|not|no|too|so|very|in|on|at|with|for|from|by|as|to|what|how|why|that"
    r"|this|here|there|where|who|always|never|only|just|also|both|all|same|different|unknown|wrong|right|correct|bad"
    r"|good|fine|weak|strong|safe|secure|insecure|easy|hard|long|short|simple|complex|new|old|empty|blank|invalid"
    r"|valid|secret|private|public|missing|lost|gone|required|optional|mandatory|necessary|important|ready|unique"
    r"|default|true|false|none|null|yes|better|stronger|longer|shorter|today|tomorrow|something|nothing|anything"
    r"|\w+(?:ed|ing|able|ible|less|ful|ally|ous|ive))",
    re.IGNORECASE,
)


def passwords(text: str) -> Iterator[Span]:
    """The passwords, PINs and keys that `text` tells by name."""
    for pattern, kind in ((_PASSWORD, PASSWORD), (_KEY, KEY), (_PIN, PIN)):
        for found in pattern.finditer(text):
            if (group := _told(found, text)) is not None:
                start, end = found.span(group)
                if group == "bare":
                    end -= len(found["bare"]) - len(found["bare"].rstrip(".,;:!?"))
                yield start, end, kind


def _told(found: re.Match[str], text: str) -> str | None:
    """The group that holds the secret; None where none is told."""
    groups = found.groupdict()
    if groups.get("quoted"):
        return "quoted" if not found["quoted"].startswith("[") else None
    value = found["bare"].rstrip(".,;:!?")
    if len(value) < _SHORTEST:
        return None
    if value.isdigit() or found["says"].startswith((":=", "=")) or _is_mixed(value):
        return "bare"
    ends_clause = _CLAUSE_ENDS.match(text, found.start("bare") + len(value)) is not None
    return "bare" if ends_clause and not _SAID_OF.fullmatch(value) else None


def _is_mixed(value: str) -> bool:
    """Whether no word of a language is written like `value`."""
    return (
        any(c.isdigit() for c in value)
        or any(c.isupper() for c in value[1:])
        or re.search(r"[^\w'’/-]", value) is not None
    )
