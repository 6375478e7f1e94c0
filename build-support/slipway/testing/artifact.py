"""Which artifact a model's tests run against."""

from __future__ import annotations

from pathlib import Path

from slipway import settings
from slipway.errors import SlipwayError

# where a caller that has packed already puts artifacts and the errors of failed builds
PROVIDED = Path(".slipway") / "artifacts"


def of_model(model: Path, root: Path, given: Path | None) -> Path:
    """The artifact ``given``, else the one provided below ``root``, else one built now.

    Raises:
        SlipwayError: the build failed, here or earlier.
    """
    if given:
        if not given.is_file():
            raise SlipwayError(
                "no such artifact", where=str(given), fix="run `slipway build` first"
            )
        return given
    for folder in dict.fromkeys((root / PROVIDED, Path.cwd() / PROVIDED)):
        failed = folder / f"{model.name}.error.txt"
        if failed.is_file():
            raise SlipwayError(failed.read_text(encoding="utf-8").strip())
        if (folder / f"{model.name}.tar.gz").is_file():
            return folder / f"{model.name}.tar.gz"
    # only here: with an artifact at hand, nothing that builds one needs to be there
    from slipway.build import build

    found = settings.load(model)
    return build(model, found, found.root / ".slipway" / "tested").path
