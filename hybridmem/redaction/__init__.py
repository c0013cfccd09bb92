"""Secrets in texts: found by their form, and put out of sight.

>>> redact("The card is 4111 1111 1111 1111.")
'The card is [card number removed].'
"""

from __future__ import annotations

from hybridmem.redaction.finding import Finding as Finding
from hybridmem.redaction.finding import find as find
from hybridmem.redaction.finding import is_redacted as is_redacted
from hybridmem.redaction.finding import redact as redact
