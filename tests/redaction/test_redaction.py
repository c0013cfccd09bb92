"""What is taken for a secret, what is not, and what is left of a text."""

from __future__ import annotations

import itertools
import random
import string
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.redaction import find, is_redacted, redact
from hybridmem.redaction.cards import luhn

# In parts, so that no scanner takes this file for a leak. None of them opens anything.
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
ANTHROPIC = "sk-ant-" + "api03-abcDEF123456_ghiJKL789012-mnoPQR345678"
OPENAI = "sk-proj-" + "abcDEF123456ghiJKL789012mnoPQR345678"
STRIPE = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"
SLACK = "xoxb-" + "123456789012-123456789012-abcdefABCDEF123456789012"
GOOGLE = "AIza" + "SyA1234567890abcdefghijklmnopqrstuv"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEpAIBAAKCAQEA1c7+9z5Pad\nhg3mXcRs\n" + "-----END RSA PRIVATE KEY-----"

TOLD = {
    "aws": (f"Use {AWS} for the upload.", AWS, "key"),
    "github": (f"the token: {GITHUB}", GITHUB, "key"),
    "anthropic": (f"ANTHROPIC_API_KEY={ANTHROPIC}", ANTHROPIC, "key"),
    "openai": (f"My key is {OPENAI}.", OPENAI, "key"),
    "stripe": (f"Stripe gave me {STRIPE}, keep it.", STRIPE, "key"),
    "slack": (f"Slack: {SLACK}", SLACK, "key"),
    "google": (f"maps key {GOOGLE}", GOOGLE, "key"),
    "jwt": (f"Authorization: Bearer {JWT}", JWT, "key"),
    "bearer": ("curl -H 'Authorization: Bearer abcd1234efgh5678ijkl'", "abcd1234efgh5678ijkl", "key"),
    "private key": (f"Here it is:\n{PEM}\nThanks.", PEM, "private key"),
    "url": ("postgresql://ana:S3cret@db.example/app", "S3cret", "password"),
    "visa": ("Pay with 4111 1111 1111 1111 please", "4111 1111 1111 1111", "card number"),
    "mastercard": ("5555-5555-5555-4444", "5555-5555-5555-4444", "card number"),
    "amex": ("Amex 378282246310005.", "378282246310005", "card number"),
    "password is": ("My wifi password is Tr0ub4dor&3.", "Tr0ub4dor&3", "password"),
    "password of words": ("The password is correcthorse, don't tell.", "correcthorse", "password"),
    "password for": ("The password for the staging server is hunter2", "hunter2", "password"),
    "password colon": ("login ana, password: Blue-Sky", "Blue-Sky", "password"),
    "password quoted": ("the passphrase is 'open sesame now'", "open sesame now", "password"),
    "password env": ("DB_PASSWORD=swordfish", "swordfish", "password"),
    "german": ("Das Passwort lautet Sommer2026!", "Sommer2026", "password"),
    "spanish": ("La contraseña es gato1234", "gato1234", "password"),
    "pin": ("My PIN is 4821.", "4821", "PIN"),
    "api key": ("The api key for the weather service is 9f8e7d6c5b4a", "9f8e7d6c5b4a", "key"),
    "client secret": ('client_secret: "zXy-987-abc"', "zXy-987-abc", "key"),
}

SAID = [
    "The password is wrong.",
    "My password is too short, it must be changed.",
    "I forgot the password for the router again.",
    "Your password has expired and is required today.",
    "The password is the name of my cat.",
    "A secret is something that you tell one person at a time.",
    "The key is under the mat.",
    "The key is 3 metres from the door.",
    "An API key is required.",
    "Call me at +49 1511 2345678 or 020 7946 0958.",
    "The order number is 1234567890123456.",
    "ISBN 978-3-16-148410-0 is on the shelf.",
    "The Pin is on Main Street 4822.",
    "He works on task-force-number-twenty-two-of-many.",
    "Commit 3f786850e387550fdab836ed7e6dc881de23001b broke it.",
    "The meeting is from 10:30 to 12:45, room 4.",
    "See https://example.org/a:b@c and mail ana@example.org.",
    "Basic training starts in 2027.",
    "Order 4111 1111 1111 1112 was sent.",
]


@pytest.mark.parametrize("name", TOLD)
def test_a_secret_is_removed_and_nothing_else(name: str) -> None:
    text, secret, kind = TOLD[name]
    assert redact(text) == text.replace(secret, f"[{kind} removed]")
    assert [finding.kind for finding in find(text)] == [kind]
    assert is_redacted(redact(text))


@pytest.mark.parametrize("text", SAID)
def test_what_only_speaks_of_secrets_stays(text: str) -> None:
    assert redact(text) == text
    assert not is_redacted(text)


@given(st.lists(st.sampled_from([*(text for text, _, _ in TOLD.values()), *SAID, "Ana lives in Porto. "]), max_size=4))
def test_a_second_time_changes_nothing(parts: list[str]) -> None:
    once = redact("\n".join(parts))
    assert redact(once) == once
    assert all(secret not in once for text, secret, _ in TOLD.values() if text in parts)


@given(st.text(string.printable, max_size=300))
def test_any_text_is_taken(text: str) -> None:
    found = find(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert all(one.end <= other.start for one, other in itertools.pairwise(found))


@given(st.text(string.digits, min_size=8, max_size=19))
def test_the_check_digit_is_the_one_that_makes_ten(number: str) -> None:
    assert sum(luhn(number + digit) for digit in string.digits) == 1


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "4" * 200_000, "password is " * 20_000, "a://" * 50_000, "eyJ" * 60_000]
)
def test_a_long_text_takes_no_long_time(text: str) -> None:
    find("warm")
    started = time.process_time()
    find(text)
    assert time.process_time() - started < 10


def test_random_words_are_no_secrets() -> None:
    rng = random.Random(0)
    words = ["".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 12))) for _ in range(5000)]
    assert find(" ".join(words)) == ()


def test_the_package_loads_no_library_before_it_is_needed() -> None:
    program = "import sys, hybridmem, hybridmem.redaction; sys.exit('detect_secrets' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
