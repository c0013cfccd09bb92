"""WhatsApp's exported chat: a text in which every message begins with its date, in the spelling of the phone.

Whether 03/04 is in April or in March is told by the whole file: by a number above 12, by the separator, or by the order
of the messages. Where nothing tells, the file is refused with that question. The file does not name the zone of its
times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Literal

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import MAX_TEXT, checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import BrokenLine, Entry, ImportedTurn, LeftOut, lines, too_long
from hybridmem.importers.identity import file_name
from hybridmem.importers.message import PARTICIPANT
from hybridmem.importers.times import NO_ZONE

SOURCE = "whatsapp"
SAMPLE = 60
"""Lines from which the format is recognised."""

_NO_NAME = "_chat"
Order = Literal["day first", "month first", "year first"]

_DIRECTION = "[\u200e\u200f\u202a-\u202c]*"
_DATE = (
    rf"(?P<a>\d{{1,4}}){_DIRECTION}(?P<sep>[./-]\s?){_DIRECTION}(?P<b>\d{{1,2}}){_DIRECTION}(?P=sep)"
    rf"{_DIRECTION}(?P<c>\d{{1,4}})\.?{_DIRECTION}"
)
_AT = r"[,،]?\s(?:(?:à|às|a las|um|alle(?: ore)?|kl\.?|klo|om|o|u|в|at)\s)?"
"""Between a date and its time."""
_MORNING = r"a\.?\s?m\.?|오전|上午|午前|ص|ق\.ظ\.?|π\.?μ\.?|öö|de\.|fm"
_AFTERNOON = r"p\.?\s?m\.?|오후|下午|午後|م|ب\.ظ\.?|μ\.?μ\.?|ös|du\.|em"
"""The halves of the day in the languages of phones that count to twelve."""
_EASTERN = ("오전", "上午", "午前", "오후", "下午", "午後")
_HALF = rf"(?:(?P<{{0}}morning>{_MORNING})|(?P<{{0}}afternoon>{_AFTERNOON}))"
_TIME = (
    rf"(?:{_HALF.format('before_')}\s?)?(?P<hour>\d{{1,2}})[:.](?P<minute>\d{{2}})(?:[:.](?P<second>\d{{2}}))?"
    rf"(?:\s?{_HALF.format('after_')})?{_DIRECTION}"
)
_IOS = re.compile(rf"\[{_DATE}{_AT}{_TIME}\]\s?(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_ANDROID = re.compile(rf"{_DATE}{_AT}{_TIME}\s[-–]\s(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_NAMED = re.compile(r"(?P<name>[^:\n\"“”„«»]{1,100}):\s(?P<text>.*)", re.DOTALL)
"""Notices quote what a group is called now, perhaps with a colon in it."""
_MARKS = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202D), 0xFEFF])
"""Marks of the writing direction, which are in names, dates and texts."""
_OMITTED = re.compile(
    r"<[^<>\n]{1,60}>|(?:image|video|audio|sticker|document|GIF|voice message|video note|Contact card) omitted"
    r"|null|(?:This message was deleted(?: by .{1,60})?|You deleted this message|Waiting for this message.{0,60})\.?"
    # the same on phones in German, Spanish, French, Italian, Portuguese and Dutch
    r"|(?:Bild|Video|Audio|Sticker|Dokument|GIF|Kontaktkarte) weggelassen"
    r"|(?:Diese Nachricht wurde|Du hast diese Nachricht) gelöscht\.?"
    r"|(?:Multimedia|Imagen|V[ií]deo|Audio|Sticker|Documento|GIF) omitid[oa]"
    r"|(?:Se eliminó|Eliminaste) este mensaje\.?"
    r"|(?:Médias?|Image|Vidéo|Audio|Sticker|Document|GIF) (?:omis|absente?)"
    r"|(?:Ce message a été|Vous avez) supprimé(?: ce message)?\.?"
    r"|(?:Media|Immagine|Video|Audio|Sticker|Documento|GIF) omess[oai]"
    r"|(?:Questo messaggio è stato|Hai) eliminato(?: questo messaggio)?\.?"
    r"|(?:Mídia|Imagem|Vídeo|Áudio|Figurinha|Documento|GIF) (?:oculta|ocultad[oa]|omitid[oa])"
    r"|(?:Mensagem apagada|Esta mensagem foi apagada)\.?"
    r"|(?:Afbeelding|Video|Audio|Sticker|Document|GIF|Media) weggelaten"
    r"|(?:Dit bericht is|Je hebt dit bericht) verwijderd\.?",
    re.IGNORECASE,
)
_ATTACHED = re.compile(
    r"[\w. ()+-]{1,200}\.\w{2,5} \((?:file attached|Datei angehängt|archivo adjunto|fichier joint|file allegato"
    r"|arquivo anexado|bestand bijgevoegd)\)[^\S\n]*(?:\n|\Z)",
    re.IGNORECASE,
)
"""A picture that was exported beside the chat; its caption stands below."""
_EDITED = re.compile(r"\s*<This message was edited>\s*\Z")


@dataclass(frozen=True, slots=True)
class _Head:
    """The first line of a message, parsed."""

    numbers: tuple[int, int, int]
    dotted: bool
    time: tuple[int, int, int]
    ios: bool
    rest: str
    eastern: bool = False
    """Whether the half of the day stands as in Chinese, Japanese and Korean, which write the year first."""

    def at(self, order: Order) -> datetime | None:
        """When it was sent; None where there is no such day."""
        first, second, third = self.numbers
        if (order == "year first") != (first > 999 or self.eastern):
            return None
        year, month, day = {
            "day first": (third, second, first),
            "month first": (third, first, second),
            "year first": (first, second, third),
        }[order]
        try:
            return datetime(year + 2000 if year < 100 else year, month, day, *self.time, tzinfo=NO_ZONE)
        except ValueError:
            return None


def recognises(path: Path) -> bool:
    """Whether one of the first lines, or a quarter of them, and a named message begin as the messages of a chat do."""
    heads = [_head(raw) for _, raw in islice(lines(path), SAMPLE) if raw is not None and raw.strip()]
    found = [head for head in heads if head is not None]
    begins = any(heads[:5]) or 4 * len(found) >= len(heads)
    return begins and any(_NAMED.fullmatch(head.rest) for head in found)


def read(path: Path, *, day_first: bool | None = None, place: str | None = None) -> Iterator[Entry]:
    """The messages in order, with their speakers; notices and media that were not exported are left out.

    `place`: what the chat is called where the file has the name that every chat's has (the folder's name). `day_first`
    answers the question how dates are written, where the file does not. Raises `InvalidInput` for a file
    that leaves it open. Bytes that are no text become U+FFFD."""
    order = _order(path, day_first)
    session = file_name(path.stem)
    if session == _NO_NAME:
        session = file_name(Path(place).name) if place else path.resolve().parent.name
    return _messages(path, order, session)


def _messages(path: Path, order: Order, session: str) -> Iterator[Entry]:
    begun: _Head | None = None
    at: datetime | None = None
    start, size = 0, 0
    block: list[str] = []
    for number, raw in lines(path):
        if raw is None:
            yield too_long(number)
            continue
        head = _head(raw)
        when = head.at(order) if head is not None else None
        line = _text(raw)
        if head is None or when is None:
            if begun is None:
                if line.strip():
                    yield BrokenLine(number, "it belongs to no message: the first message comes later")
                continue
            if size + len(line) < MAX_TEXT:
                block.append(line)
                size += len(line) + 1
                continue
            yield _entry(start, begun, at, block, session)
            start, block, size = number, [line], len(line)
            continue
        if begun is not None:
            yield _entry(start, begun, at, block, session)
        begun, at, start = head, when, number
        named = _NAMED.fullmatch(head.rest)
        block = [named["text"] if named else head.rest]
        size = len(block[0])
    if begun is not None:
        yield _entry(start, begun, at, block, session)


def _entry(start: int, head: _Head, at: datetime | None, block: list[str], session: str) -> Entry:
    named = _NAMED.fullmatch(head.rest)
    if named is None:
        return LeftOut("notices")
    raw = "\n".join(block)
    text = _EDITED.sub("", raw.translate(_MARKS)).strip()
    if (attached := _ATTACHED.match(text)) is not None:
        text = text[attached.end() :].strip()
        if not text:
            return LeftOut("media and notices")
    # on iOS, the mark before a text says that WhatsApp wrote it
    if _OMITTED.fullmatch(text) or (head.ios and raw.startswith("\u200e")):
        return LeftOut("media and notices")
    if not text:
        return LeftOut("no words")
    speaker = named["name"].translate(_MARKS).strip().removeprefix("~").strip() or "unknown"
    try:
        text = checked_text(text)
    except InvalidInput as error:
        return BrokenLine(start, str(error))
    return ImportedTurn(text, PARTICIPANT, speaker, session, at, SOURCE, trust_of(PARTICIPANT))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").replace("\x00", "\ufffd")


def _head(raw: bytes) -> _Head | None:
    """The beginning of a message; None for a line that continues one."""
    line = _text(raw).lstrip("\ufeff\u200e\u200f\u202a\u202b\u202c ")
    found = _IOS.fullmatch(line) or _ANDROID.fullmatch(line)
    if found is None:
        return None
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    afternoon = found["before_afternoon"] or found["after_afternoon"]
    if afternoon or found["before_morning"] or found["after_morning"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if afternoon else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    numbers = (int(found["a"]), int(found["b"]), int(found["c"]))
    half = found["before_morning"] or found["before_afternoon"] or ""
    return _Head(
        numbers,
        found["sep"].startswith("."),
        (hour, minute, second),
        line.startswith("["),
        found["rest"],
        eastern=bool(half) and half in _EASTERN,
    )


def _order(path: Path, day_first: bool | None) -> Order:
    """How the file's dates are written. Raises `InvalidInput` where both readings are possible."""
    last: dict[Order, datetime | None] = dict.fromkeys(("day first", "month first", "year first"))
    broken: dict[Order, int] = dict.fromkeys(last, 0)
    count = dotted = 0
    example: _Head | None = None
    for _, raw in lines(path):
        head = _head(raw) if raw is not None else None
        if head is None:
            continue
        example, count, dotted = example or head, count + 1, dotted + head.dotted
        for order, before in last.items():
            at = head.at(order)
            # a message that comes days before the one above it, or on no day at all, speaks against the reading
            broken[order] += at is None or (before is not None and (before - at).days > 1)
            last[order] = at or before
    if broken["year first"] < min(broken["day first"], broken["month first"]):
        return "year first"
    if 2 * dotted > count:
        return "day first"
    if day_first is not None:
        return "day first" if day_first else "month first"
    if broken["day first"] == broken["month first"]:
        written = "/".join(map(str, example.numbers)) if example else ""
        raise InvalidInput(
            f"{path} does not tell whether {written} begins with the day or the month: pass --day-first or "
            f"--month-first"
        )
    return "day first" if broken["day first"] < broken["month first"] else "month first"
