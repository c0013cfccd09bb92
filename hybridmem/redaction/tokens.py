"""Keys and tokens of known services: by the detectors of `detect-secrets` (Yelp, Apache-2.0), and by the prefixes of
services that it does not know.

Of that library, only the patterns are used: nothing here asks a service whether a key is valid.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence

from hybridmem.redaction.cards import Span

KIND, PRIVATE_KEY, PASSWORD = "key", "private key", "password"

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    re.DOTALL,
)
_PREFIXED = re.compile(
    r"(?<![\w-])(?:"
    r"sk-(?:ant-|proj-|or-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"  # OpenAI, Anthropic, OpenRouter and others
    r"|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}"  # Google
    r"|github_pat_[A-Za-z0-9_]{22,}"
    r"|(?:hf|gsk|xai|r8|pplx|dckr_pat|dop_v1|shpat|rk_live|rk_test|sk_test|sk_live|whsec|glpat)[_-][A-Za-z0-9_-]{20,}"
    r"|xapp-[A-Za-z0-9-]{20,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+"  # JSON Web Tokens (RFC 7519)
    r")"
)
_BEARER = re.compile(r"\b(?:Bearer|Basic)\s+(?P<token>(?=[A-Za-z._~+/-]*\d)[A-Za-z0-9._~+/-]{16,}=*)")
_URL_PASSWORD = re.compile(r"\b[a-z][a-z0-9+.-]{1,30}://[^\s/:@]{0,100}:(?P<token>[^\s/@]{1,200})@")
_LONGEST, _OVERLAP = 4000, 400
"""Characters of a line that are looked at at once, and of those that are looked at twice."""
_SHORTEST = 8
"""Characters of the shortest group of a pattern that can be the whole secret."""
_DETECTORS = (
    ("artifactory", "ArtifactoryDetector"),
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("cloudant", "CloudantDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("ibm_cloud_iam", "IbmCloudIamDetector"),
    ("ibm_cos_hmac", "IbmCosHmacDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("softlayer", "SoftlayerDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
    ("telegram_token", "TelegramBotTokenDetector"),
    ("twilio", "TwilioKeyDetector"),
)
"""(module, class) of each in ``detect_secrets.plugins``. Its guesses by entropy, by the names of variables in code and
by public addresses are left out: ordinary text is full of them."""


def tokens(text: str) -> Iterator[Span]:
    """The keys and tokens in `text`."""
    for found in _PRIVATE_KEY.finditer(text):
        yield *found.span(), PRIVATE_KEY
    for found in _PREFIXED.finditer(text):
        yield *found.span(), KIND
    for found in _BEARER.finditer(text):
        yield *found.span("token"), KIND
    for found in _URL_PASSWORD.finditer(text):
        yield *found.span("token"), PASSWORD
    for offset, piece in _pieces(text):
        for pattern in _patterns():
            for found in pattern.finditer(piece):
                # Where a pattern has a group, that is the secret, and the rest its name.
                group = next((at for at in range(found.re.groups, 0, -1) if found[at]), 0)
                start, end = found.span(group if len(found[group]) >= _SHORTEST else 0)
                yield offset + start, offset + end, KIND


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The lines of `text` with their places, long ones in overlapping pieces: the library's patterns are made for lines
    of code, and some take time by the square of the length."""
    at = 0
    for line in text.splitlines(keepends=True):
        for start in range(0, max(1, len(line) - _OVERLAP), _LONGEST - _OVERLAP):
            yield at + start, line[start : start + _LONGEST]
        at += len(line)


@functools.cache
def _patterns() -> Sequence[re.Pattern[str]]:
    import importlib

    found: list[re.Pattern[str]] = []
    for module, name in _DETECTORS:
        detector = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)()
        found += detector.denylist
    return found
