"""Values with digits in them: dates, times, amounts, numbers, codes, and names of machines and rooms."""

from __future__ import annotations

from random import Random

from hybridmem.evaluation.memory_jobs import vocabulary
from hybridmem.evaluation.memory_jobs.drawing import any_of


def month_day(rng: Random) -> str:
    """A day of the year, in one of its spellings."""
    day, month = rng.randint(1, 28), any_of(rng, vocabulary.MONTHS)
    shape = rng.random()
    if shape < 0.4:
        return f"{day} {month}"
    if shape < 0.8:
        return f"{month} {day}"
    suffix = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
    return f"{month} {day}{suffix}" if shape < 0.9 else f"{month[:3]} {day}"


def date(rng: Random) -> str:
    """A day, with or without its year, or the next such weekday."""
    shape = rng.random()
    if shape < 0.5:
        return month_day(rng)
    if shape < 0.7:
        return f"{rng.randint(2015, 2031)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if shape < 0.85:
        return f"{rng.randint(1, 28)} {any_of(rng, vocabulary.MONTHS)} {rng.randint(2015, 2031)}"
    if shape < 0.93:
        return f"next {any_of(rng, vocabulary.WEEKDAYS)}"
    return f"{rng.randint(1, 28)}.{rng.randint(1, 12)}.{rng.randint(2015, 2031)}"


def birthday(rng: Random) -> str:
    """A day of the year, at times with the year."""
    return month_day(rng) if rng.random() < 0.6 else f"{month_day(rng)}, {rng.randint(1935, 2022)}"


def time(rng: Random) -> str:
    """A time of day, on 24 hours or on 12."""
    minute = 5 * rng.randint(0, 11)
    shape = rng.random()
    if shape < 0.5:
        return f"{rng.randint(0, 23):02}:{minute:02}"
    half = any_of(rng, ("am", "pm"))
    return f"{rng.randint(1, 12)}:{minute:02} {half}" if shape < 0.75 else f"{rng.randint(1, 12)} {half}"


def number(rng: Random) -> str:
    """A count; small ones more often."""
    return str(rng.randint(2, any_of(rng, (20, 100, 1000, 9999))))


def price(rng: Random) -> str:
    """An amount of money."""
    amount = rng.randint(2, any_of(rng, (50, 400, 3000)))
    cents = f".{rng.randint(1, 99):02}" if rng.random() < 0.3 else ""
    return any_of(rng, ("${}", "€{}", "£{}", "{} euros", "{} dollars", "{} kr")).format(f"{amount}{cents}")


def duration(rng: Random) -> str:
    """A span of time."""
    return f"{rng.randint(2, 90)} {any_of(rng, ('minutes', 'hours', 'days', 'weeks', 'months', 'years'))}"


def phone(rng: Random) -> str:
    """A telephone number."""
    shape = any_of(rng, ("555-####", "+## ## ### ####", "0### ######", "(###) 555-####", "07### ### ###"))
    return "".join(str(rng.randint(1, 9)) if c == "#" else c for c in shape)


def code(rng: Random) -> str:
    """A code of letters and digits, as of doors and serial numbers."""
    shape = rng.random()
    if shape < 0.5:
        return f"{any_of(rng, vocabulary.CODED_PREFIXES)}-{rng.randint(10, 99999)}"
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "".join(letters[int(rng.random() * len(letters))] for _ in range(rng.randint(4, 7)))


def version(rng: Random) -> str:
    """A software version."""
    number = f"{rng.randint(0, 24)}.{rng.randint(0, 20)}"
    return f"{any_of(rng, ('', '', 'v'))}{number}" + (f".{rng.randint(0, 30)}" if rng.random() < 0.6 else "")


def port(rng: Random) -> str:
    """A network port."""
    return str(rng.randint(1024, 65535)) if rng.random() < 0.7 else str(rng.randint(20, 9999))


def filename(rng: Random) -> str:
    """A file's name."""
    stem, ending = any_of(rng, vocabulary.FILE_STEMS), any_of(rng, vocabulary.FILE_ENDINGS)
    mark = any_of(rng, ("", f"-{rng.randint(2015, 2031)}", f"_v{rng.randint(2, 19)}", "_final", f"-{number(rng)}"))
    return f"{stem}{mark}.{ending}"


def operating_system(rng: Random) -> str:
    """An operating system, at times with its version."""
    system = any_of(rng, vocabulary.OPERATING_SYSTEMS)
    return f"{system} {rng.randint(7, 42)}" if rng.random() < 0.5 else system


def server(rng: Random) -> str:
    """A machine's name."""
    shape = rng.random()
    number = rng.randint(1, 99)
    if shape < 0.4:
        return f"{any_of(rng, ('node', 'db', 'web', 'app', 'cache', 'gpu', 'mail', 'edge', 'build', 'vm'))}-{number:02}"
    if shape < 0.7:
        return f"{any_of(rng, vocabulary.CODE_NAMES).lower()}-{number}"
    return f"{any_of(rng, vocabulary.CODE_NAMES).lower()}.{any_of(rng, ('internal', 'local', 'lan', 'example.com'))}"


def room(rng: Random) -> str:
    """A room's name or number."""
    shape = rng.random()
    if shape < 0.4:
        return f"Room {rng.randint(1, 999)}"
    if shape < 0.6:
        return f"Room {any_of(rng, tuple('ABCDEFGH'))}{rng.randint(1, 40)}"
    if shape < 0.85:
        return f"Room {any_of(rng, vocabulary.CODE_NAMES)}"
    return f"{any_of(rng, ('Studio', 'Lab', 'Hall', 'Office'))} {rng.randint(1, 60)}"


def distance(rng: Random) -> str:
    """A length of way."""
    return f"{rng.randint(2, 900)} {any_of(rng, ('km', 'miles', 'metres', 'kilometres', 'm'))}"


def temperature(rng: Random) -> str:
    """A temperature."""
    return f"{rng.randint(-30, 240)} {any_of(rng, ('degrees', 'degrees Celsius', '°C', '°F'))}"


def percentage(rng: Random) -> str:
    """A percentage."""
    return f"{rng.randint(1, 99)}{any_of(rng, ('%', '%', ' percent'))}"
