"""English verbs in their first form, by the lexicon of `lemminflect` (from the NIH SPECIALIST Lexicon).

>>> first_form("plays"), first_form("sold"), first_form("moved"), first_form("installed"), first_form("rehomed")
('play', 'sell', 'move', 'install', 'rehome')
"""

from __future__ import annotations

from functools import lru_cache

KEPT = 4096
"""Words whose forms are remembered: a text says the same ones again and again."""


@lru_cache(KEPT)
def first_form(verb: str) -> str:
    """The form of `verb`, in lower case, that stands behind "does" and "did"; `verb` itself where it is no verb."""
    import lemminflect  # Its lexicon takes a third of a second.

    known = lemminflect.getAllLemmas(verb)
    if known:
        first: str = known.get("VERB", (verb,))[0]
        return first
    # Of a word that the lexicon lacks, the ending decides; "texts", which it has as a noun alone, stays one.
    unknown: str = lemminflect.getAllLemmasOOV(verb, upos="VERB")["VERB"][0] if verb.endswith(("s", "ed")) else verb
    return unknown


@lru_cache(KEPT)
def is_past(word: str) -> bool:
    """Whether `word`, in lower case, is a past form or a participle by its looks.

    >>> is_past("went"), is_past("opened"), is_past("opens"), is_past("need"), is_past("hundred")
    (True, True, False, False, False)
    """
    import lemminflect

    first = first_form(word)
    if first == word:
        return False
    forms = lemminflect.getAllInflections(first, upos="VERB")
    return word.endswith("ed") or word in (*forms.get("VBD", ()), *forms.get("VBN", ()))
