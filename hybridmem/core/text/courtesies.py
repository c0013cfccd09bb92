"""What people say beside a question that tells nothing: greetings, thanks, that they forgot, how to answer.

>>> is_courtesy("Thanks in advance!"), is_courtesy("Please answer briefly."), is_courtesy("I moved to Oslo.")
(True, True, False)
"""

from __future__ import annotations

import re

_THANKS = (
    r"(?:many |much )?(?:thanks?(?: you)?|thx|ty|tia|cheers|appreciated|much appreciated"
    r"|i(?:['’]d)? appreciate (?:it|that))"
    r"(?: (?:a lot|a million|so much|very much|again|in advance|anyway|for (?:your|the) (?:help|time|answer)|\w+))?",
    r"please|pls|plz|sorry(?: to (?:ask|bother) (?:you )?(?:again)?)?|excuse me|ok(?:ay)?|hm+|um+|well|so|right|bye"
    r"|take care",
    r"(?:hi|hello|hey|dear|greetings|good (?:morning|day|afternoon|evening|night))"
    r"(?: (?:there|again|all|everyone|[^\W\d_]+))?",
)
_ELSEWHERE = (
    r"(?:vielen |besten |herzlichen )?dank(?:e(?: schön| sehr)?| im voraus)?|bitte|hallo|moin"
    r"|guten (?:tag|morgen|abend)",
    r"merci(?: beaucoup| d'avance)?|s'il (?:te|vous) pla[iî]t|bonjour|salut|(?:muchas )?gracias|por favor|hola"
    r"|(?:muito )?obrigad[oa]|olá|grazie(?: mille)?|per favore|ciao|mulțumesc",
    r"dank (?:je|u)(?: wel)?|alsjeblieft|alstublieft|tack(?: så mycket)?|takk|tak|kiitos|köszönöm",
    r"dziękuję|proszę|cześć|děkuji|prosím|спасибо|пожалуйста|привет|дякую|будь ласка|ευχαριστώ|παρακαλώ",
    r"teşekkürler|lütfen|merhaba|شكرا|من فضلك|مرحبا|תודה|בבקשה|שלום|متشکرم|لطفا|धन्यवाद|कृपया|नमस्ते",
    r"(?:xin )?cảm ơn|terima kasih|tolong|谢谢[你您]?|謝謝[你您]?|多谢|你好|麻烦你?了?",
    r"ありがとう(?:ございます)?|お願いします|すみません|こんにちは|감사합니다|고마워요?|안녕하세요|부탁해요|부탁드립니다",
    r"ขอบคุณ(?:ครับ|ค่ะ)?|สวัสดี(?:ครับ|ค่ะ)?",
)
"""Greetings and thanks in other languages."""
_ASIDES = (
    r"(?:sorry,? )?i (?:forgot|forget|can(?:no|['’])t remember|do(?:n['’]t| not) remember|do(?:n['’]t| not) know"
    r"|keep forgetting|just forgot|was (?:just )?wondering|wonder|need to know)"
    r"(?: (?:it|that|again|right now|this|anymore))?",
    r"(?:just|only)? ?(?:curious|checking|wondering|asking(?: for a friend)?)",
    r"(?:a |one |another |quick |small |last |more )*question"
    r"|i have (?:a|one|another) (?:quick |small |last )?question",
    r"you (?:always |already |should )*(?:know|knew|told me)"
    r"(?: (?:it|that|this|all|everything|the answer|well|better))?",
    r"as (?:always|usual|ever|before)|i need (?:the|to know)\b[^.!?]{0,40}|let['’]?s (?:think|go)\b[^.!?]{0,30}",
    r"you are (?:a|an|my)\b[^.!?]{0,40}\b(?:assistant|bot|expert|model)",
    r"(?:remind|tell) me(?: again| please)?|help",
)
_MANNER = (
    r"(?:please |just |only )*(?:answer|reply|respond|explain|keep (?:it|this)|be|think|use|give|say|write|list|return"
    r"|output|do(?:n['’]t| not) (?:explain|guess|make|lie|be)|no (?:explanation|preamble|yapping|need)|short"
    r"|briefly?|concise|in (?:one|a|two|a few|\d+) |one (?:word|sentence|line)|a (?:short|brief|single)"
    r"|the (?:name|city|date|number|answer)\b|yes or no|step by step)"
    r"(?:(?!\b(?:i|my|mine|we|our|i['’]\w+)\b)[^.!?]){0,60}",
)
"""How to answer: about nobody who speaks."""
_WORDS = 10
"""Words of the longest sentence that says how to answer."""
_COURTESY = re.compile("|".join(f"(?:{each})" for each in (*_THANKS, *_ELSEWHERE, *_ASIDES, *_MANNER)), re.IGNORECASE)


def is_courtesy(sentence: str) -> bool:
    """Whether `sentence`, beside a question, states nothing of anybody.

    >>> is_courtesy("Danke schön!"), is_courtesy("I forgot."), is_courtesy("I forgot my keys.")
    (True, True, False)
    """
    said = sentence.strip(" \t\n.,;:!?…~'\"()[]-–—。！？、，🙏🙂😊😀👍❤️")
    return not said or (len(said.split()) <= _WORDS and _COURTESY.fullmatch(said) is not None)
