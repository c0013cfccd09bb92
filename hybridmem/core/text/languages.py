"""Which language a text is in, as far as dates need it: by its script, or by its small words.

>>> language("Was geschah letzte Woche?"), language("What happened last week?"), language("昨天我搬家了")
('de', 'en', 'zh')
"""

from __future__ import annotations

import re

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(f"[{letters}]"))
    for name, letters in (
        # Before Chinese: Japanese has Chinese characters too.
        ("ja", "\u3040-\u30ff"),
        ("ko", "\uac00-\ud7a3\u1100-\u11ff"),
        ("zh", "\u4e00-\u9fff"),
        ("th", "\u0e00-\u0e7f"),
        ("uk", "іїєґ"),
        ("ru", "\u0400-\u04ff"),
        ("el", "\u0370-\u03ff\u1f00-\u1fff"),
        ("he", "\u0590-\u05ff"),
        ("fa", "پچژگ"),
        ("ar", "\u0600-\u06ff"),
        ("hi", "\u0900-\u097f"),
    )
)
_SMALL_WORDS = {
    "en": """
        the a an and is are was were do does did what when where who how i you he she it we they my in of to
        for on
        """,
    "de": """
        der die das ein eine und ist sind war wann wo wer wie ich du er sie es wir mein meine im von zu für
        auf am was gestern heute morgen woche monat jahr letzte letzten nächste
        """,
    "fr": """
        j ai a y deux le la les un une et est sont était quand où qui comment je tu il elle nous mon ma mes
        dans de du pour sur hier aujourd demain semaine mois année dernière dernier prochaine
        """,
    "es": """
        el la los las un una y a es son era cuándo dónde quién cómo yo tú él ella nosotros mi mis en de del
        para qué me ayer hoy mañana semana mes año pasada pasado próxima
        """,
    "it": """
        il lo la gli un una e è sono era quando dove chi come io tu lui lei noi mio mia in di del per su che
        mi ieri oggi domani settimana mese anno scorsa scorso prossima
        """,
    "pt": """
        o a os as um uma e é são era quando onde quem como eu ele ela nós meu minha em de do da para no na
        me ontem hoje amanhã semana mês ano passada passado próxima que
        """,
    "nl": """
        de het een en is zijn was wanneer waar wie hoe ik jij hij zij wij mijn in van voor op met gisteren
        vandaag morgen maand jaar vorige volgende wat
        """,
    "pl": """
        i jest są był kiedy gdzie kto jak ja ty on ona my mój moja w z na do się wczoraj dzisiaj jutro
        tydzień tygodniu miesiąc rok zeszłym co
        """,
    "sv": """
        en ett och är var när vem hur jag du han hon vi min mitt i av för på med igår idag imorgon vecka
        månad år förra nästa vad
        """,
    "tr": """
        bir ve bu ne kim nerede nasıl ben sen biz benim için ile da de mı mi dün bugün yarın hafta ay yıl
        geçen gelecek
        """,
}
"""Pronouns, articles, question words and words of time; a word may be of several languages."""
_WORDS = {name: frozenset(words.split()) for name, words in _SMALL_WORDS.items()}
_WORD = re.compile(r"[^\W\d_]+")


def language(text: str) -> str:
    """The code (ISO 639-1) of the language of `text`, of those that are known here; English where nothing tells."""
    if not text.isascii():
        for name, letters in _SCRIPTS:
            if letters.search(text):
                return name
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = {name: sum(word in own for word in words) for name, own in _WORDS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] > counts["en"] else "en"
