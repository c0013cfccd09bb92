"""Requests to keep what follows, in some languages: they have the form of a question, and tell.

>>> asks_to_note("Can you remember that I'm vegan?"), asks_to_note("Kannst du dir merken, dass ich umziehe?")
(True, True)
>>> asks_to_note("Can you remember where I live?"), asks_to_note("你能记住我住在哪里吗？")
(False, False)
"""

from __future__ import annotations

import re

_ENGLISH = (
    r"(?:please )?(?:can|could|will|would) you (?:please )?"
    r"(?:(?:remember|note(?: down)?|make a note|write down|jot down|save|keep in mind)"
    r"(?! (?:about|who|whom|whose|what|when|where|which|why|how|if|whether|me|anything|any|us)\b)|remind me to\b)"
)
# The word for "that" tells what is to be kept from what is asked for: ¿puedes recordar dónde vivo?
_OTHERS = (
    r"(?:kannst|könntest|würdest|magst|können|könnten|würden)\s+(?:du|sie|ihr)\s+(?:\w+\s+){0,3}"
    r"(?:merken|notieren|aufschreiben|festhalten|speichern|behalten)\s*,?\s*dass?\b",
    r"(?:kun|kan|kunt|zou|wil)\s+(?:je|jij|u)\s+(?:\w+\s+){0,3}(?:onthouden|noteren|opschrijven|bewaren)\s*,?\s*dat\b",
    r"(?:kan|kunde|kunne|vil)\s+du\s+(?:\w+\s+){0,2}(?:komma\s+ihåg|minnas|huske|notera|notere|anteckna|skriva?\s+upp?)"
    r"\s+(?:på\s+)?att?\b",
    r"(?:puedes|podrías|puede|podría)\s+(?:por\s+favor\s+)?"
    r"(?:recordar(?:me)?|apuntar(?:te)?|anotar|guardar|tomar\s+nota|tener\s+en\s+cuenta)(?:\s+de)?\s+que\b",
    r"(?:podes|podias|poderias|pode|poderia|consegues)\s+(?:por\s+favor\s+)?"
    r"(?:lembrar(?:-te|-se)?|anotar|apontar|registr?ar|guardar|memorizar|tomar\s+nota)(?:\s+de)?\s+que\b",
    r"(?:puoi|potresti|può|potrebbe)\s+(?:per\s+favore\s+)?"
    r"(?:ricordar(?:ti|si|mi|e)|annotar(?:ti|e)|segnar(?:ti|e)|appuntar(?:ti|e)|memorizzare|salvare)\s+che\b",
    r"(?:(?:peux|pourrais)-tu|tu\s+(?:peux|pourrais)|(?:pouvez|pourriez)-vous|vous\s+(?:pouvez|pourriez))\s+"
    r"(?:te\s+|vous\s+|s'il\s+te\s+plaît\s+)?(?:noter|retenir|rappeler|souvenir|mémoriser|enregistrer)\s+(?:que\b|qu['’])",
    r"(?:не\s+)?(?:можешь|можете|мог(?:ла|ли)?\s+бы(?:\s+(?:ты|вы))?)\s+(?:ты\s+|вы\s+|пожалуйста\s+)?"
    r"(?:запомнить|записать|отметить|сохранить)\s*,?\s*что\b",
    r"(?:czy\s+)?(?:możesz|mógłbyś|mogłabyś)\s+(?:proszę\s+)?(?:zapamiętać|zapisać|zanotować)\s*,?\s*że\b",
    r"(?:请|請|麻烦|你)?(?:能不能|可不可以|能|可以)(?:请|請|帮我|幫我|替我)?(?:记住|記住|记下|記下|记一下|記一下|记得|記得)"
    r"(?!.*(?:哪|什么|什麼|谁|誰|多少|几|幾|怎))",
    r"(?!.*(?:何|どこ|どれ|どう|どんな|いつ|だれ|誰|なぜ|いく[らつ]))"
    r".*(?:と|って|ことを?|[をは])(?:覚えて|おぼえて|メモして|記録して|記憶して)(?:おいて)?(?:くれ|もらえ|いただけ|くださ)",
    r"(?!.*(?:어디|언제|누구|누가|무엇|뭐|몇|어떻게|왜))"
    r".*(?:다고|라고|(?:[는은한]|던)\s?(?:것|거|걸|점|사실)[을를]?)\s*(?:꼭\s*)?(?:기억해|적어|메모해|기록해)",
)
_TO_NOTE = re.compile("|".join((_ENGLISH, *_OTHERS)), re.IGNORECASE)
_LONGEST = 300
"""Characters from the beginning within which the request stands."""


def asks_to_note(text: str) -> bool:
    """Whether `text` begins as a request to keep what it says: it tells, and is answered with a note."""
    return _TO_NOTE.match(text[:_LONGEST].lstrip("¿ \t\n")) is not None
