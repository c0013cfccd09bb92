"""How a sentence says something, by plain cues: a second opinion beside a model.

The cues are those of English, and the words of some other languages that negate. They are wrong now and then, on the
side of caution: retrieval keeps what they doubt.

>>> mood("I live in Lisbon."), mood("I wish I lived in Porto."), mood("If I moved, I'd sell the car.")
('asserted', 'wished', 'conditional')
>>> mood("I'm not allergic to peanuts."), mood("Just kidding!"), mood("Where is the key?")
('denied', 'joked', 'asked')
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from hybridmem.core.text.questions import ends_as_question

CuedMood = Literal[
    "asserted", "denied", "wished", "conditional", "planned", "reported", "quoted", "asked", "joked", "confidential"
]

_JOKE = (
    r"\b(?:jk|just kidding|kidding|only joking|just joking|april fool\w*|as a joke|said no ?(?:one|body)(?: ever)?"
    r"|forget i (?:ever )?(?:said|mentioned|asked|brought))\b"
    r"|(?:^|\s)/s\s*$|(?:[.…,!-]\s*)not\s*!+\s*$"
)
_FICTION = re.compile(
    r"\b(?:let'?s (?:play|pretend|role-?play)|role-?play(?:ing)?|pretend (?:that|to be|you|i|we|it|this)\b"
    r"|in character\b|(?:d&d|dungeons and dragons|character) (?:sheet|backstory|background)"
    r"|once upon a time|(?:act|answer|reply|talk|speak|write) as (?:if|though|a|an|the)\b"
    r"|write (?:it|this|that|me|us) (?:up )?(?:as|like|a|an|from) )",
    re.IGNORECASE,
)
_UNREAL: tuple[tuple[CuedMood, str], ...] = (
    ("joked", _JOKE),
    ("confidential", r"\b(?:confidential\w*|between (?:you and me|us)|off the record|keep (?:it|this) to yourself)\b"),
    ("wished", r"\b(?:wish(?:es|ed|ing)?|if only|dream of|would (?:love|rather)|i'd (?:love|rather)|hoping)\b"),
    (
        "conditional",
        r"\b(?:if|unless|suppos(?:e|ing)|imagine|pretend\w*|hypothetical\w*|what if|as though|would have|wouldn't have"
        r"|would've|could have|should have|say i'd|not as if|provided(?: that)?"
        r"|assum(?:e|ing)|(?:was|were) (?:about|going|(?:all )?set) to"
        r"|had planned to|in another life)\b|^(?:had|should) (?:i|we|you|he|she|they|it|the|my|our)\b",
    ),
    (
        "reported",
        r"\b(?:according to|apparently|supposedly|allegedly|rumou?r\w*|gossip\w*|word is|they say|people say)\b",
    ),
)
"""What is said so is not the case, or not known to be."""
_REPORT = re.compile(
    r"\b(?:said|says|saying|told|tells|telling|claim(?:s|ed)?|according to|apparently|supposedly|rumou?r\w*|reckons?"
    r"|heard (?:that|from)|thinks)\b",
    re.IGNORECASE,
)
_PLAN = re.compile(
    r"(?:\bwill\b|'ll\b|\bgoing to\b|\bgonna\b|\bplan(?:s|ned|ning)? to\b|\bbooked (?:for|in)\b|\bscheduled\b)",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"[\"“”«»](?:[^\"“”«»\s]+\s+){3,}[^\"“”«»]*[\"“”«»]|(?<!\w)'(?:[^'\s]+\s+){3,}[^\n]*?'(?!\w)")
"""Words of somebody: a title or a single word in quotation marks is shorter."""
_OPENING = re.compile(
    # a story, a task and an example hold sentences that nobody states
    r"^(?:in|imagine) (?:my|the|a|an|this|that|his|her|our|their) (?:\w+ )?"
    r"(?:dreams?|nightmare|novel|film|movie|story|stories|fairy tale|sketch|sitcom|comic|thriller)\b"
    r"|^(?:just )?(?:picture|imagine) (?:it|this|that|me|us)\b"
    r"|^(?:please )?(?:write|make up|invent|translate|repeat after me|rephrase|proofread|spell-?check) ?\b"
    r"|^(?:example|e\.g\.|for example|for instance|subject|fwd?|headline|lyrics)\b[:,]"
    r"|^(?:let'?s say|say,? (?!hi|hello|thanks?|goodbye|bye)[a-z]+ \w+s\b)"
    r"|^(?:not true|false|wrong|far from it|god forbid|contrary to)\b"
    # irony, and another's words that are doubted
    r"|^(?:oh|ah|ha),? (?:sure|yeah|yes|right|absolutely|totally|definitely|of course)\b|^yeah,? right\b|^yes,? yes\b"
    r"|^(?:oh |yeah |well )?sure,? (?:and|because)\b|^(?:because|and) of course\b|^as if\b"
    r"|^(?:(?-i:[A-Z])[\w-]+|(?:my|his|her|our|their|the) [\w-]+)'s"
    r" (?:version|story|theory|account|verdict|claim|gossip)\b"
    r"|^to hear (?:\S+ ){1,4}tell it\b|^if you (?:ask|believe) (?!me\b)"
    r"|^(?:the )?(?:story|legend|gossip|rumou?r|word|tale) (?:goes|has it|around|on the street)\b"
    r"|^>|^(?:were|was) (?:i|we|you|he|she|they|it|[A-Z]\w+) to\b"
    r"|^(?:once|when|until|as soon as|by the time)\b[^.,]*,[^.]*(?:'ll\b|\bwill\b)"
    r"|^(?:[^\s:,]+ ){0,4}(?:wrote|writes|says|said|reads|goes|claims|claimed) ?:",
    re.IGNORECASE,
)
_ALTERING = re.compile(
    r"\b(?:used to|meant to|(?:want|wish|hope|try|aim|mean|intend|long|aspire)(?:s|ed)? to|tr(?:ies|ied) to"
    r"|(?:hop|try|aim)ing to"
    r"|would like to|'d like to|would love to|(?:fail(?:s|ed)?|refus(?:e|es|ed|ing)|declin(?:e|es|ed)|forgot"
    r"|neglected) to"
    r"|(?:stops|stopped|quit|gave up|given up|avoid(?:s|ed)?|den(?:y|ies|ied))"
    r"|might|could|should|ought to|may|supposed to|perhaps|maybe|possibly|probably|presumably|seem(?:s|ed|ingly)?"
    r"|appear(?:s|ed)? to|allegedly|almost|nearly|practically|doubt(?:s|ed)?|whether|unclear|unsure"
    r"|i thought|i'd thought|thinks?|believes?|believed|suspect(?:s|ed)?|guess(?:es|ed)?|assum(?:e|es|ed)|reckons?"
    r"|(?:am|is|are|was|were|been|'m|'s|'re) told|lies? that|a lie|false(?:ly)?|untrue|pretend(?:s|ed)?"
    r"|any(?:where|thing|one|body) but|every(?:where|thing|one|body) (?:but|except)"
    r"|forget (?:that|what)|scrap (?:that|what)|ignore (?:that|what|the)|disregard)(?=\W|$)",
    re.IGNORECASE,
)
_UNFULFILLED = re.compile(
    r"\b(?:used to|(?:mean|meant|want(?:s|ed)?|wish(?:es|ed)?|hop(?:e|es|ed|ing)|aim(?:s|ed)?|intend(?:s|ed)?"
    r"|long(?:s|ed)|tr(?:y|ies|ied|ying)|fail(?:s|ed)?|refus(?:e|es|ed)|declin(?:e|es|ed)|forgot|neglected"
    r"|(?:was|were) (?:going|about)|would (?:like|love)) to|almost|nearly"
    r"|(?:considered|thought (?:about|of)) [a-z]+ing)\b",
    re.IGNORECASE,
)
_TAKING_BACK = re.compile(
    r"^\W*(?:which |that |this |it )?(?:is |was |'s )?(?:just |all |simply )?"
    r"(?:nonsense|false|a lie|untrue|rubbish|made up|fake)\W*$"
    r"|\b(?:is|was) (?:nonsense|false|a lie|untrue|unclear|wrong|rubbish|made up|fake)\W*$"
    r"|^\W*(?:not really|i don't think(?: so)?|in (?:my|your|his|her|our|their) dreams"
    r"|or so (?:\w+ ){1,3}(?:say|said|think|thought|claim|believe)\w*"
    r"|(?:said|says|wrote|writes|sang|sings|joked|lied) (?:the )?(?-i:[A-Z])\w+(?: \w+)?)\W*$",
    re.IGNORECASE,
)
_CUES = tuple((name, re.compile(cue, re.IGNORECASE)) for name, cue in _UNREAL)
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|nowhere|neither|nor|cannot|without|hardly|barely"
    # German, Dutch, Swedish, Polish, French, Italian, Portuguese, Spanish, Russian
    r"|nicht|keine?[mnrs]?|niet|geen|inte|nie|pas|jamais|non(?=\s)|não|nunca|jamás|не|нет|никогда"
    r"|(?:do|does|did|is|are|was|were|has|have|had|would|could|should|must|wo|ca)n'?t|ain't)\b",
    re.IGNORECASE,
)
_NO_NEGATION = re.compile(
    r"\bnot (?:only|just|to mention)\b|\bno\.? ?\d|\bno (?:problem|worries|doubt|matter|idea)\b"
    r"|\b(?:(?:do|does|did|will|must|should)(?:n't| not)|never) (?:you )?(?:ever )?(?:forget|knew"
    r"|reali[sz]e[ds]?|notice[ds]?)\b|\bdid(?:n't| not) know that\b"
    r"|\b(?:can(?:'t|not)|could(?:n't| not)) (?:believe|wait)\b"
    r"|^no\b[,.!]?(?=\s)|\bwhether or not\b",
    re.IGNORECASE,
)
_NEGATIVE_SENSE = re.compile(
    r"\b(?:refus\w+|den(?:y|ies|ied)|stopped|quit|lack\w*|fail\w*|unable|avoid\w*|reject\w*|declin\w+|cancel\w*"
    r"|instead|rather than|except|miss(?:es|ing)|lost|gave up|given up|turned down|any ?more|free of|dislike\w*|hates?"
    r"|can't stand|wrong|mistaken|former|formerly|unpaid|absent)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?…])[\"”’')]*\s+|\n+")
_AUXILIARY = "".join(
    rf"(?<!\b{word})"
    for word in """
        is are was were am be been do does did has have had will would can could should must may might why if or
        'm 's 're it he she they we you i
        """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
"""In front of a "not" that belongs to the verb before it."""
_SPACE = r"(?<!\s)\s+"
"""A run of spaces, tried from its beginning alone: else a long one costs the square of its length."""
_CLAUSE = re.compile(
    r"[,;:]\s+(?:(?:but|however|though|although|because|whereas|while|then|so)\s+)?"
    rf"|(?<![.!?…])[.!?…]+(?:\s+|$)|{_SPACE}[-–—]+\s+|—|[()\[\]]|(?<!\n)\n+"
    rf"|{_SPACE}(?:but|however|though|although|because|whereas|while|then|so)\s+"
    rf"|{_SPACE}(?:and|or)\s+(?=(?:i|i'm|i've|he|she|we|they|it|it's|my|our|his|her|their|the|that|this|there)\b)"
    rf"|{_AUXILIARY}{_SPACE}(?=not\s)",
    re.IGNORECASE,
)


def mood(sentence: str) -> CuedMood:
    """How `sentence` says what it says."""
    said = _straight(sentence)
    if ends_as_question(said):
        return "asked"
    unreal = unreal_mood(said)
    if unreal:
        return unreal
    if _REPORT.search(said):
        return "reported"
    if is_negated(said):
        return "denied"
    return "planned" if _PLAN.search(said) else "asserted"


def unreal_mood(sentence: str) -> CuedMood | None:
    """The mood of a sentence that states nothing, where a word of it says so; None for any other."""
    said = _straight(sentence)
    for name, cue in _CUES:
        if cue.search(said):
            return name
    return "quoted" if _QUOTE.search(said) else None


def opens_unreal(sentence: str) -> bool:
    """Whether `sentence` begins as one that states nothing, so that all of its clauses do.

    >>> opens_unreal("If the bank agrees, we own it."), opens_unreal("The bank agrees, if we own it.")
    (True, False)
    """
    first = next(clauses(sentence), "")
    return any(cue.search(first) for _, cue in _CUES) or _OPENING.search(_straight(sentence.strip())) is not None


def quotations(text: str) -> list[str]:
    """The words in quotation marks in `text`, of four words or more."""
    return [match.group() for match in _QUOTE.finditer(_straight(text))]


def is_taken_back(text: str) -> bool:
    """Whether all of `text` is called a joke somewhere in it.

    >>> is_taken_back("I'm moving to Mars. Just kidding!")
    True
    """
    return re.search(_JOKE, _straight(text), re.IGNORECASE) is not None


def is_fiction(text: str) -> bool:
    """Whether `text` asks for a part to be played or a story to be told: none of its sentences is about anybody.

    >>> is_fiction("Let's play. I'm a pirate, I lost an eye."), is_fiction("I play the pirate in our school's show.")
    (True, False)
    """
    return _FICTION.search(_straight(text)) is not None


def altering(clause: str) -> Iterator[tuple[str, str]]:
    """The words of `clause` that make of what follows another statement (an attempt, a doubt, something of the past or
    left), each with what follows.

    >>> list(altering("Ana might live in Porto"))
    [('might', ' live in Porto')]
    """
    said = _NO_NEGATION.sub(" ", _straight(clause))
    for cue in _ALTERING.finditer(said):
        yield cue.group().lower(), said[cue.end() :]


def is_unfulfilled(text: str) -> bool:
    """Whether `text` says what somebody only meant, tried or nearly did, or did in the past.

    >>> is_unfulfilled("Ana meant to move to Porto."), is_unfulfilled("Ana moved to Porto.")
    (True, False)
    """
    return _UNFULFILLED.search(_straight(text)) is not None


def retraction(sentence: str) -> str:
    """The word at the end of `sentence` that takes back what the rest of it says; "" where there is none.

    >>> retraction("Ana lives in Porto, which is nonsense."), retraction("Ana lives in Porto.")
    ('nonsense', '')
    """
    last = next(iter([*clauses(sentence)][-1:]), "")
    found = _TAKING_BACK.search(last)
    return re.findall(r"\w+", found.group())[-1] if found else ""


def is_negated(text: str) -> bool:
    """Whether a word of `text` negates.

    >>> is_negated("I dont eat meat"), is_negated("No, it's at six."), is_negated("not only Ana")
    (True, False, False)
    """
    return _NEGATION.search(_NO_NEGATION.sub(" ", _straight(text))) is not None


def has_negative_sense(text: str) -> bool:
    """Whether `text` negates, or says in another word that something is not so.

    >>> has_negative_sense("Ana refused the gloves.")
    True
    """
    return is_negated(text) or _NEGATIVE_SENSE.search(_straight(text)) is not None


def sentences(text: str) -> list[str]:
    """`text` cut behind ., ! and ? and at line breaks."""
    return [part.strip() for part in _SENTENCE.split(text) if part and part.strip()]


def clauses(text: str) -> Iterator[str]:
    """`text` cut where one thing said ends and another begins: at punctuation, "but", "because", and at "and" or "or"
    before another subject.

    >>> list(clauses("It closes at 16:30 now, not 17:30, but I don't mind and she does."))
    ['It closes at 16:30 now', 'not 17:30', "I don't mind", 'she does']
    """
    for part in _CLAUSE.split(_straight(text)):
        if part and part.strip():
            yield part.strip()


def _straight(text: str) -> str:
    return text.replace("’", "'").replace("‘", "'")
