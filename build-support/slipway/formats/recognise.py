"""Find the one format that a file or folder is of, by its content."""

from __future__ import annotations

from pathlib import Path

from slipway.errors import SlipwayError
from slipway.formats.contents import Contents
from slipway.formats.format import Format, Recognised
from slipway.formats.registry import formats
from slipway.signature.formats import CONVERT, recognize_format


def recognise(path: Path) -> tuple[Format, Recognised]:
    """Return the format of ``path``, and what it says of it.

    Raises:
        SlipwayError: no format knows it (``fix`` says what it is instead), or it is of one, but
            truncated, too new, or holds code that is refused.
    """
    found = find_format(path)
    if found is not None:
        return found
    known = recognize_format(path)
    if known is None:
        raise SlipwayError("of no known format", where=str(path), fix=f"name {_titles()}")
    if known.is_placeholder:
        raise SlipwayError(f"no model, but {known.name}", where=str(path), fix=known.fix)
    if CONVERT in known.fix:  # it begins as files of a format do, and holds no model of it
        what = f"{known.name}, which holds no model that a format knows"
        raise SlipwayError(what, where=str(path), fix=f"save {_titles()}")
    what = f"{known.name}, which is not converted as it is"
    raise SlipwayError(what, where=str(path), fix=known.fix)


def _titles() -> str:
    return ", ".join(form.title for form in formats())


def find_format(path: Path) -> tuple[Format, Recognised] | None:
    """Return the format of ``path``; ``None`` if no format knows it.

    Raises:
        SlipwayError: as :func:`recognise`, of a format that knows it.
    """
    if not path.exists():
        raise SlipwayError("not found", where=str(path), fix="correct the path")
    contents = Contents(path)
    if contents.is_cut_archive:
        fix = "copy or download it again; compare its size with the original"
        raise SlipwayError("a zip archive that is cut off", where=str(path), fix=fix)
    for form in formats():
        try:
            recognised = form.recognise(contents)
        except SlipwayError as error:
            error.where = error.where or str(path)
            raise
        if recognised is not None:
            return form, recognised
    return None
