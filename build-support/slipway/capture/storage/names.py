"""The names of capture files: SageMaker's folders, and files whose names say what is in them.

``<endpoint>/<variant>/<yyyy>/<mm>/<dd>/<hh>/<target>--<mmss>-<mmss>-<requests>-<days>d-<id>.jsonl``:
the target model without its ending, the times of the first and the last request within the hour,
how many they are, how long they are kept, and the file's id. So one model of a thousand is found,
counted and forgotten without reading a file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from urllib.parse import quote, unquote

SUFFIX = ".jsonl"
ENDING = ".tar.gz"
LONGEST = 150  # characters of a target model in a file's name, which has at most 255 bytes
SAFE = "+=@,:"  # and letters, digits, "_.-~"
FOLDER = re.compile(r"(?P<endpoint>[^/]+)/(?P<variant>[^/]+)/(?P<hour>\d{4}/\d\d/\d\d/\d\d)/")
FILE = re.compile(
    r"(?P<target>.+)--(?P<first>\d{4})-(?P<last>\d{4})-(?P<requests>\d+)-(?P<days>\d+)d"
    r"-(?P<id>[0-9a-z]+-\d+)\.jsonl"
)


@dataclass(frozen=True)
class CaptureFile:
    """What the name of a complete capture file says; ``key`` is its path below the location.

    ``target`` is cut off where it is long; a line of the file has all of it.
    """

    key: str
    endpoint: str
    variant: str
    hour: datetime
    target: str
    first: str
    last: str
    requests: int
    days: int
    id: str

    @property
    def name(self) -> str:
        """Return the model's name, cut off where the target model is."""
        return self.target.rpartition("_")[0] or self.target

    @property
    def since(self) -> datetime:
        """Return the time of its first request, to the second."""
        return self.hour + timedelta(minutes=int(self.first[:2]), seconds=int(self.first[2:]))

    @property
    def until(self) -> datetime:
        """Return the time of its last request, to the second."""
        return self.hour + timedelta(minutes=int(self.last[:2]), seconds=int(self.last[2:]))

    @property
    def expires(self) -> datetime:
        """Return when it is to be forgotten."""
        return self.until + timedelta(days=self.days)


def file_key(
    folder: str, target: str, first: datetime, last: datetime, requests: int, days: int, id: str
) -> str:
    """Return the path of a file below the location; ``folder`` ends in the hour."""
    return (
        f"{folder}/{file_prefix(target)}--{first:%M%S}-{last:%M%S}-{requests}-{days}d-{id}{SUFFIX}"
    )


def hour_folder(when: datetime) -> str:
    """Return ``yyyy/mm/dd/hh`` of a time in UTC."""
    when = when.astimezone(timezone.utc)
    # a tenth of the time that strftime takes; each captured request asks for it
    return f"{when.year:04}/{when.month:02}/{when.day:02}/{when.hour:02}"


def file_prefix(target: str) -> str:
    """Return what the names of a target model's files begin with, before ``--``."""
    quoted = quote(target[: -len(ENDING)] if target.endswith(ENDING) else target, safe=SAFE)
    # what separates the parts of a name, and begins a hidden file
    quoted = quoted.replace("--", "-%2D").lstrip(".")
    if len(quoted) <= LONGEST:
        return quoted
    return f"{quoted[:LONGEST]}~{hashlib.sha256(target.encode()).hexdigest()[:12]}"


def name_prefix(name: str) -> str:
    """Return what the names of the files of every release of a model begin with."""
    return file_prefix(f"{name}_")[:LONGEST]


def parse_key(key: str) -> CaptureFile | None:
    """Return what a path below the location says; ``None`` if Slipway did not write it."""
    folder, file = FOLDER.match(key), FILE.fullmatch(key.rpartition("/")[2])
    if folder is None or file is None or folder.end() + len(file[0]) != len(key):
        return None
    hour = parse_hour(folder["hour"])
    if hour is None:
        return None
    return CaptureFile(
        key,
        folder["endpoint"],
        folder["variant"],
        hour,
        unquote(file["target"]) + ("" if "~" in file["target"] else ENDING),
        file["first"],
        file["last"],
        int(file["requests"]),
        int(file["days"]),
        file["id"],
    )


def parse_hour(folder: str) -> datetime | None:
    """Return the hour of ``yyyy/mm/dd/hh``; ``None`` if it is not one."""
    try:
        return datetime.strptime(folder, "%Y/%m/%d/%H").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


def hours(since: datetime, until: datetime) -> Sequence[datetime]:
    """Return every hour that holds a moment from ``since`` to ``until``."""
    first = since.astimezone(timezone.utc).replace(minute=0, second=0, microsecond=0)
    count = int((until - first) / timedelta(hours=1)) + 1 if until >= first else 0
    return [first + timedelta(hours=number) for number in range(count)]
