"""Times: seconds UTC inside, MIND's form or ISO 8601 in files, ISO 8601 UTC in what is printed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache

HOUR = 3_600.0
DAY = 24 * HOUR
MIND = re.compile(r"(\d\d?/\d\d?/\d{4}) (\d\d?):([0-5]\d):([0-5]\d) ([AP]M)", re.ASCII)
ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)
EPOCH = date(1970, 1, 1)


def parse_time(text: str) -> float:
    """Seconds UTC of a time in MIND's form, month first, or in ISO 8601.

    A time without a time zone is UTC, independently of the machine's time zone.

    Raises
    ------
    ValueError
        If it is not a time.

    >>> parse_time("11/13/2019 8:36:57 AM"), parse_time("2019-11-13T09:36:57+01:00")
    (1573634217.0, 1573634217.0)
    """
    if match := MIND.fullmatch(text):
        day, hour, minute, second, half = match.groups()
        if not 1 <= int(hour) <= 12:
            raise ValueError(f"not a time: {text!r}")
        hours = int(hour) % 12 + 12 * (half == "PM")
        return float(_midnight(day) + hours * 3600 + int(minute) * 60 + int(second))
    if not ISO.fullmatch(text):
        raise ValueError(f"not a time: {text!r}")
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


@lru_cache(maxsize=4096)
def _midnight(day: str) -> int:
    """Seconds UTC at the beginning of a day such as 11/13/2019."""
    month, number, year = map(int, day.split("/"))
    return (date(year, month, number) - EPOCH).days * 86_400


def iso_time(seconds: float) -> str:
    """A time in ISO 8601, UTC, in whole seconds.

    >>> iso_time(1573634217.0)
    '2019-11-13T08:36:57Z'
    """
    time = datetime.fromtimestamp(seconds, UTC)
    return f"{time.replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def mind_time(seconds: float) -> str:
    """A time in MIND's form, UTC.

    >>> mind_time(1573634217.0)
    '11/13/2019 8:36:57 AM'
    """
    t = datetime.fromtimestamp(seconds, UTC)
    clock = f"{t.hour % 12 or 12}:{t.minute:02d}:{t.second:02d}"
    return f"{t.month}/{t.day}/{t.year:04d} {clock} {'AM' if t.hour < 12 else 'PM'}"
