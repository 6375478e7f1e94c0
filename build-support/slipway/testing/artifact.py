"""Find or build the artifact that a model's tests run against."""

from __future__ import annotations

from pathlib import Path

from slipway import settings
from slipway.errors import SlipwayError

# a caller that has built already puts artifacts and the errors of failed builds here
PROVIDED = Path(".slipway") / "artifacts"


def artifact_for(model: Path, root: Path, chosen: Path | None) -> Path:
    """Return the artifact ``chosen``, else the one provided below ``root``, else a new build.

    Raises:
        SlipwayError: the build failed, here or earlier.
    """
    if chosen:
        if not chosen.is_file():
            raise SlipwayError(
                "no such artifact", where=str(chosen), fix="run `slipway build` first"
            )
        return chosen
    for folder in dict.fromkeys((root / PROVIDED, Path.cwd() / PROVIDED)):
        failed = folder / f"{model.name}.error.txt"
        if failed.is_file():
            raise SlipwayError(failed.read_text(encoding="utf-8").strip())
        if (folder / f"{model.name}.tar.gz").is_file():
            return folder / f"{model.name}.tar.gz"
    # imported here: an existing artifact can be tested without the build's dependencies
    from slipway.build import build

    configured = settings.load(model)
    return build(model, configured, configured.root / ".slipway" / "tested").path
