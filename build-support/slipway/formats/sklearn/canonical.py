"""Write a skops file whose bytes depend on what it holds alone.

skops names objects by their addresses: in ``__id__`` of its schema, and in the names of files.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

SCHEMA = "schema.json"
NAMED = re.compile(r'("__id__": |"file": ")(\d+)')


def number_objects(file: Path) -> None:
    """Number the objects of a skops file in the order of its schema, instead of by address."""
    with zipfile.ZipFile(file) as archive:
        members = [(member, archive.read(member)) for member in archive.infolist()]
    schema = {member.filename: data for member, data in members}[SCHEMA].decode()
    numbers: dict[str, str] = {}
    for _, address in NAMED.findall(schema):
        numbers.setdefault(address, str(len(numbers)))
    schema = NAMED.sub(lambda found: found[1] + numbers[found[2]], schema)
    with zipfile.ZipFile(file, "w") as archive:
        for member, data in members:
            stem, dot, suffix = member.filename.partition(".")
            name = f"{numbers.get(stem, stem)}{dot}{suffix}"
            content = schema.encode() if name == SCHEMA else data
            archive.writestr(zipfile.ZipInfo(name), content, member.compress_type)
