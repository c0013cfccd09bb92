"""The words that say what a text is about, in one of their forms."""

from __future__ import annotations

from hybridmem.core.text.tokens import STOPWORDS, tokens

_ASKING = STOPWORDS | set("s user kind sort type name many much long often time day date tell know".split())  # noqa: SIM905


def topic(text: str) -> frozenset[str]:
    """The words that say what `text` is about, stemmed."""
    return frozenset(stem(word) for word in tokens(text) if word not in _ASKING)


def stem(word: str) -> str:
    """`word` without its most common English ending; of an irregular verb, its first form.

    >>> stem("allergies") == stem("allergy"), stem("closes") == stem("closed"), stem("Ana")
    (True, True, 'Ana')
    >>> stem("sold") == stem("sell"), stem("taken") == stem("takes")
    (True, True)
    """
    word = _FIRST_FORM.get(word, word)
    if len(word) < 4:
        return word
    for ending, rest in (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + rest
    return word


_IRREGULAR = """
    bear bore borne; beat beaten; become became; begin began begun; bend bent; bite bit bitten; bleed bled; blow
    blew blown; break broke broken; breed bred; bring brought; build built; burn burnt; buy bought; catch caught
    choose chose chosen; come came; creep crept; deal dealt; dig dug; do did done; draw drew drawn; dream dreamt
    drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen; feed fed; feel felt; fight fought; find
    found; flee fled; fly flew flown; forbid forbade forbidden; forget forgot forgotten; forgive forgave forgiven
    freeze froze frozen; get got gotten; give gave given; go went gone; grow grew grown; hang hung; hear heard; hide
    hid hidden; hold held; keep kept; kneel knelt; know knew known; lay laid; lead led; lean leant; leap leapt
    learn learnt; leave left; lend lent; lie lain; light lit; lose lost; make made; mean meant; meet met; mistake
    mistook mistaken; pay paid; rebuild rebuilt; ride rode ridden; ring rang rung; rise rose risen; run ran; say
    said; see saw seen; seek sought; sell sold; send sent; sew sewn; shake shook shaken; shine shone; shoot shot
    show shown; shrink shrank shrunk; sing sang sung; sink sank sunk; sit sat; sleep slept; slide slid; smell smelt
    speak spoke spoken; spell spelt; spend spent; spill spilt; spin spun; spoil spoilt; stand stood; steal stole
    stolen; stick stuck; sting stung; strike struck; swear swore sworn; sweep swept; swim swam swum; swing swung
    take took taken; teach taught; tear tore torn; tell told; think thought; throw threw thrown; understand
    understood; wake woke woken; wear wore worn; weave wove woven; weep wept; win won; wind wound; withdraw withdrew
    withdrawn; write wrote written
"""
_FIRST_FORM = {
    form: forms[0] for verb in _IRREGULAR.replace("\n", ";").split(";") if (forms := verb.split()) for form in forms[1:]
}
"""By a later form of a verb."""
