"""The words of a text, for indexing, for queries and for comparison.

>>> query_terms("Where does Ana live, and what is QX-4821?")
['ana', 'live', 'qx-4821']
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

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


_MARK_SIGNS = re.compile(r"(?<![\w.])\.(?=[^\W\d_]{2})|(?<=\w)\+\+(?![\w+])|(?<=\w)#(?![\w#])|(?<=\w)\+\+(?=\d)")
_SIGNS = {".": " dot", "++": "plusplus ", "#": "sharp "}
"""Signs that belong to a name, as people say them: .NET, C++, C#."""
_UNSPACED = re.compile(
    # Thai to Myanmar, Khmer, Hangul's letters, kana and Chinese characters with their extensions.
    r"[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Runs of scripts that put no space between words, or add their endings without one, as Korean does."""
_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and signs that are drawn as nothing: Hangul's fillers, and Braille without a dot."""
_UNSEEN = dict.fromkeys(
    [0xAD, 0x61C, 0x180E, 0x200D, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
"""Soft hyphens, joiners, and marks of the writing direction: a word is the same word without them."""
_UNSEEN_BETWEEN = _UNSEEN | dict.fromkeys([0x200B, 0x200C])
"""With those that may part words, too: the space without width, as Thai has it, and Persian's non-joiner."""
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]"
)
"""Marks that a word is the same word without. Those of Indian scripts and of Thai are its vowels, and stay."""
_ALIKE = str.maketrans(
    {"ł": "l", "đ": "d", "ð": "d", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
    # Arabic and Persian keyboards have letters of their own for yeh and kaf
    | {"\u0649": "\u064a", "\u06cc": "\u064a", "\u06a9": "\u0643", "\u0629": "\u0647", "\u0640": ""}
    # Arabic, Persian, Devanagari and Bengali
    | {chr(zero + digit): str(digit) for zero in (0x660, 0x6F0, 0x966, 0x9E6) for digit in range(10)}
)
"""Letters that people write as others where their keyboard lacks them, as Lucene folds them, and the digits of other
scripts. Unicode does not decompose them."""


def tokens(text: str) -> list[str]:
    """Every run of letters and digits in order, in lower case and without diacritics.

    Letters with a stroke are those without (Łódź, Lodz), and digits are those of ASCII.
    Scripts without spaces between words give each two neighbouring characters (bigrams, as Lucene's CJK analyser does).
    An emoji is a word, and so are C++, C# and .NET, as people say them. Letters are compared without case as Unicode
    folds it: ß is ss.

    >>> tokens("Café 今天玩 C++ Straße 🎉")
    ['cafe', '今天', '天玩', 'cplusplus', 'strasse', 'emoji1f389']
    """
    return [token for run in _runs(text) for token in _bigrams(run)]


def index_tokens(text: str) -> list[str]:
    """`tokens`, with the single characters of scripts without spaces, so that one of them can be looked for."""
    return [token for run in _runs(text) for token in (*_bigrams(run), *(_single(run)))]


def alike(folded: str) -> str:
    """Words in lower case, with one letter for those that are written for each other.

    >>> alike("łódź"), alike("۱۲۳")
    ('lódź', '123')
    """
    return folded.translate(_ALIKE)


def query_terms(text: str) -> list[str]:
    """The words to look for when somebody asks `text`, each once and in order.

    Stopwords count only if there is no other word. An id or number with inner punctuation stays in one piece."""
    found: dict[str, None] = {}
    for token in _written(_spelled(unicodedata.normalize("NFC", text).replace("’", "'"))):
        whole = POSSESSIVE.sub("", token.lower())
        if whole in STOPWORDS or (whole.isascii() and any(map(str.isdigit, whole))):
            found[whole] = None
        else:
            found.update(dict.fromkeys(tokens(whole)))
    content = [term for term in found if term not in STOPWORDS]
    return content or list(found)


def composed(text: str) -> str:
    """`text` in Unicode's NFC, in which one name is one name however keyboards and file systems compose its letters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def has_other_forms(text: str) -> bool:
    """Whether another text is the same in NFC: one with an accent, say, that may be composed or not."""
    return not text.isascii() and not (
        unicodedata.is_normalized("NFC", text) and unicodedata.normalize("NFD", text) == text
    )


def normalised(text: str) -> str:
    """`text` for comparison: lower case, no punctuation at the ends, no leading article, single spaces; letters as
    Unicode's NFKC has them, so that one name is one name however a keyboard composed it, and nothing that is not
    seen."""
    folded = text.casefold()
    if not text.isascii():
        seen = unicodedata.normalize("NFKC", text.translate(_UNSEEN_BETWEEN))
        folded = unicodedata.normalize("NFKC", seen.casefold())
    words = folded.replace("’", "'").strip(" \t\n.,;:!?\"'()[]").split()
    while len(words) > 1 and words[0] in {"the", "a", "an"}:
        words = words[1:]
    return " ".join(words)


def _written(text: str) -> list[str]:
    """What a query is cut into: runs of letters, digits and marks with punctuation inside, and other signs alone."""
    if text.isascii():
        return TOKEN.findall(text)
    apart = (char if char in "'.- " or char.isalnum() or _is_mark(char) else f" {char} " for char in text)
    return [token for chunk in "".join(apart).split() if (token := chunk.strip("'.-"))]


def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in ("Mn", "Mc")


def _runs(text: str) -> Iterator[str]:
    """The words of `text`, folded; a run of a script without spaces is one of them."""
    if text.isascii():
        yield from _PART.findall(_spelled(text.lower()))
        return
    # Composed first: a sign is one before a plain letter alone, and an accent may stand apart from its letter.
    spelled = _spelled(unicodedata.normalize("NFC", text))
    bare = alike(_ACCENTS.sub("", unicodedata.normalize("NFKD", spelled.casefold())))
    folded = unicodedata.normalize("NFC", bare)
    for chunk in "".join(map(_spaced, folded)).split():
        last = 0
        for run in _UNSPACED.finditer(chunk):
            yield from filter(None, (chunk[last : run.start()], run.group()))
            last = run.end()
        if last < len(chunk):
            yield chunk[last:]


def _spelled(text: str) -> str:
    """`text` with the signs of its names in letters, and its emoji as words of ASCII, which every index takes.

    >>> _spelled("C# or .NET?")
    'Csharp  or  dotNET?'
    """
    if not text.isascii():
        text = text.translate(_UNSEEN)
    return _MARK_SIGNS.sub(lambda sign: _SIGNS[sign.group()], text)


@cache
def _spaced(char: str) -> str:
    """What stands for `char` in a text that is then cut at spaces."""
    if char.isalnum():
        return char
    if _is_mark(char):
        return char
    return f" emoji{ord(char):x} " if unicodedata.category(char) == "So" else " "


def _bigrams(run: str) -> Iterable[str]:
    if len(run) < 2 or run.isascii() or not _UNSPACED.match(run):
        return (run,)
    return (run[at : at + 2] for at in range(len(run) - 1))


def _single(run: str) -> Iterable[str]:
    return run if len(run) > 1 and not run.isascii() and _UNSPACED.match(run) else ()


def is_unspaced(text: str) -> bool:
    """Whether `text` has words of a script that puts no space between them.

    >>> is_unspaced("我住在里斯本"), is_unspaced("Ana lives in Lisbon")
    (True, False)
    """
    return not text.isascii() and _UNSPACED.search(text) is not None


def has_visible(text: str) -> bool:
    """Whether `text` has a character that is seen: no space, control or zero-width character alone.

    >>> has_visible("🎉"), has_visible("\u200b\u200d"), has_visible("\x07 ")
    (True, False, False)
    """
    stripped = text.strip()
    # The first character decides nearly always. One that Python's tables do not know yet is seen as a letter is.
    return any(
        (unicodedata.category(char)[0] not in "CZM" or unicodedata.category(char) in ("Co", "Cn"))
        and char not in _BLANKS
        for char in stripped
    )


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
