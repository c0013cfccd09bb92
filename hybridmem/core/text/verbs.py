"""English verbs in their first form, by rule and by a list of those that follow none.

>>> first_form("plays"), first_form("sold"), first_form("moved"), first_form("stopped"), first_form("opened")
('play', 'sell', 'move', 'stop', 'open')
"""

from __future__ import annotations

import re

_IRREGULAR = """
    add added; agree agreed; bear bore borne; beat beaten; become became; begin began begun; bend bent
    bite bit bitten; bleed bled; blew blown; break broke broken; breed bred; bring brought; build built
    burn burnt; buy bought; catch caught; choose chose chosen; come came; creep crept; deal dealt; dig dug
    do does did done; draw drew drawn; dream dreamt; drink drank drunk; drive drove driven; eat ate eaten
    fall fell fallen; feed fed; feel felt; fight fought; flee fled; fly flew flown; forbid forbade forbidden
    forget forgot forgotten; forgive forgave forgiven; freeze froze frozen; get got gotten; give gave given
    go went gone; grow grew grown; hang hung; have has had; hear heard; hide hid hidden; hold held; keep kept
    kneel knelt; know knew known; lay laid; lead led; lean leant; leap leapt; learn learnt; leave left; lend lent
    lie lain; light lit; lose lost; make made; mean meant; meet met; mistake mistook mistaken; pay paid
    rebuild rebuilt; ride rode ridden; ring rang rung; rise rose risen; run ran; say said; see saw seen; seek sought
    sell sold; send sent; sew sewn; shake shook shaken; shine shone; shoot shot; show shown; shrink shrank shrunk
    sing sang sung; sink sank sunk; sit sat; sleep slept; slide slid; smell smelt; speak spoke spoken; spell spelt
    spend spent; spill spilt; spin spun; spoil spoilt; stand stood; steal stole; stick stuck; sting stung
    strike struck; swear swore sworn; sweep swept; swim swam swum; swing swung; take took taken; teach taught
    tear tore torn; tell told; think thought; throw threw thrown; wake woke woken
    wear wore worn; weave wove woven; weep wept; win won; wind wound; withdraw withdrew
    write wrote written
"""
_FIRST_FORM = {
    form: forms[0] for verb in _IRREGULAR.replace("\n", ";").split(";") if (forms := verb.split()) for form in forms[1:]
}
"""By a later form of a verb."""
_SILENT_E = re.compile(
    r"[^aeiou]*[aeiou][^aeiouwxy]|.*(?:[vcuz]|[^s]s|[^n]g|[clr]?[ae]ng|[^aeiouwrl]l|[^e]at|creat|[iu]r|[^e]ar|[^aeiou]id)"
)
"""What a past form without its "ed" looks like where the first form ends in an e that is not spoken."""


def first_form(verb: str) -> str:
    """The form of `verb`, in lower case, that stands behind "does" and "did"; `verb` itself where it has no ending."""
    if verb in _FIRST_FORM:
        return _FIRST_FORM[verb]
    if verb.endswith(("ies", "ied")):
        return f"{verb[:-3]}y" if len(verb) > 4 else verb[:-1]
    if re.search(r"(?:ss|sh|ch|x|o)es$", verb):
        return verb[:-2]
    if re.search(r"[a-z]{2}(?<!s)(?<!u)s$", verb):
        return verb[:-1]
    return _without_ed(verb[:-2]) if is_past(verb) else verb


def is_past(word: str) -> bool:
    """Whether `word`, in lower case, is a past form or a participle by its looks.

    >>> is_past("went"), is_past("opened"), is_past("opens"), is_past("need")
    (True, True, False, False)
    """
    return word in _FIRST_FORM or (len(word) > 3 and word.endswith("ed") and not word.endswith("eed"))


def _without_ed(root: str) -> str:
    if root[-1:] == root[-2:-1]:
        # "passed" and "called", but "stopped" and "cancelled"
        return root if root[-1] in "fsz" or (root[-1] == "l" and len(re.findall("[aeiou]+", root)) == 1) else root[:-1]
    return f"{root}e" if _SILENT_E.fullmatch(root) else root
