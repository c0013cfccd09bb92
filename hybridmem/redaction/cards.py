"""Payment cards: digits of a known issuer's length and prefix (ISO/IEC 7812) whose check digit is right."""

from __future__ import annotations

import re
from collections.abc import Iterator

KIND = "card number"
Span = tuple[int, int, str]
"""(start, end, kind): a secret's place in a text, by characters."""

_DIGITS = re.compile(r"(?<![\w+.-])\d(?:[ -]?\d){13,18}(?![\w-]|[.,]\d)")
_ISSUERS = re.compile(
    r"4\d{15}(?:\d{3})?"  # Visa
    r"|(?:5[1-5]\d{4}|222[1-9]\d\d|22[3-9]\d{3}|2[3-6]\d{4}|27[01]\d{3}|2720\d\d)\d{10}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
)


def cards(text: str) -> Iterator[Span]:
    """The card numbers in `text`."""
    for found in _DIGITS.finditer(text):
        number = re.sub(r"\D", "", found[0])
        if _ISSUERS.fullmatch(number) and luhn(number):
            yield found.start(), found.end(), KIND


def luhn(number: str) -> bool:
    """Whether the last of these digits is the check digit of the others (Luhn, ISO/IEC 7812-1, annex B).

    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    digits = [int(digit) for digit in reversed(number)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
