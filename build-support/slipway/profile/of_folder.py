"""The profile of a model's folder."""

from __future__ import annotations

from pathlib import Path

from slipway.profile.profile import FILE_NAME, load_profile


def read_profile_file(folder: Path) -> bytes | None:
    """Return the bytes of the folder's ``profile.json``; ``None`` if there is none.

    Raises:
        SlipwayError: it is damaged.
    """
    path = folder / FILE_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    load_profile(data, where=str(path))
    return data
