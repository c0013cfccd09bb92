"""The words of a text, for indexing, for queries and for comparison.

>>> query_terms("Where does Ana live, and what is QX-4821?")
['ana', 'live', 'qx-4821']
"""

from __future__ import annotations

import re
import unicodedata

TOKEN = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
POSSESSIVE = re.compile(r"['’]s?$", re.IGNORECASE)
_PART = re.compile(r"[^\W_]+")
STOPWORDS = frozenset(
    """
    a about above after again against ago all almost already also although always am an and another any are aren't as
    at away be because been before being below between both but by can can't cannot could couldn't did didn't do does
    doesn't doing don't done down during each either else ever every few for from further get gets getting go goes
    going gonna gone got had hadn't has hasn't have haven't having he he'd he'll he's hello her here hers herself hey
    hi him himself his how however i i'd i'll i'm i've if in into is isn't it it'd it'll it's its itself just last
    later let let's like lot maybe me might mine more most much must my myself never next no nor not now of off oh ok
    okay on once one only or other our ours ourselves out over own perhaps please really same shall she she'd she'll
    she's should shouldn't since so some soon still such sure than thank thanks that that's the their theirs them
    themselves then there there's these they they'd they'll they're they've this those though through to today
    tomorrow tonight too under until up upon us very was wasn't we we'd we'll we're we've well were weren't what
    what's when whenever where where's wherever whether which while who who's whom whose why will with within without
    won't would wouldn't wow yeah yes yesterday yet you you'd you'll you're you've your yours yourself yourselves
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
"""English words that say nothing about the topic of a text."""


def tokens(text: str) -> list[str]:
    """Every run of letters and digits in order, in lower case and without diacritics."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return _PART.findall("".join(letter for letter in decomposed if not unicodedata.combining(letter)))


def query_terms(text: str) -> list[str]:
    """The words to look for when somebody asks `text`, each once and in order.

    Stopwords count only if there is no other word. An id or number with inner punctuation stays in one piece."""
    found: dict[str, None] = {}
    for token in TOKEN.findall(unicodedata.normalize("NFC", text).replace("’", "'")):
        whole = POSSESSIVE.sub("", token.lower())
        if whole in STOPWORDS or any(map(str.isdigit, whole)):
            found[whole] = None
        else:
            found.update(dict.fromkeys(_PART.findall(whole)))
    content = [term for term in found if term not in STOPWORDS]
    return content or list(found)


def normalised(text: str) -> str:
    """`text` for comparison: lower case, no punctuation at the ends, no leading article, single spaces."""
    words = text.casefold().replace("’", "'").strip(" \t\n.,;:!?\"'()[]").split()
    while len(words) > 1 and words[0] in {"the", "a", "an"}:
        words = words[1:]
    return " ".join(words)


def whole_words(*texts: str) -> re.Pattern[str]:
    """A pattern that finds any of `texts`, letter for letter, where neither of its ends is inside a word.

    >>> bool(whole_words("C++").search("She writes C++.")), bool(whole_words("Ana").search("Anabel"))
    (True, False)
    """
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, texts))})(?!\w)")


def contains_words(text: str, words: str) -> bool:
    """Whether the normalised `text` has `words` in it as whole words, whatever their case and end punctuation.

    >>> contains_words("ana moved to porto", "Porto."), contains_words("ana moved to porto", "port")
    (True, False)
    """
    wanted = normalised(words)
    # The plain test first: callers ask about many words, and each pattern has to be compiled.
    return bool(wanted) and wanted in text and whole_words(wanted).search(text) is not None
