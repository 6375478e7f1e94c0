"""Print what came of a conversion that was done again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from slipway.scaffold.convert_again import Repeated

CHANGED = {
    "source": "the original is another file",
    "lock": "the packages of the conversion are others",
    "versions": "versions of the conversion's programs are others",
    "options": "its options are others",
    "backend": "the backend is another",
}


def show_repeated(model: Path, repeated: Repeated, *, served: bool) -> None:
    """Print for each file whether it is what the model serves, and why not."""
    conversion, name = repeated.conversion, model.resolve().name
    count = len(next(iter(conversion.rows.values())))
    compared = (
        f"differs from the framework by at most {conversion.difference:.2g} on {count} rows"
        if conversion.difference is not None
        else "was not compared with the framework"
    )
    click.echo(f"{name}: converted again; it {compared}")
    for file in repeated.files:
        path = os.path.relpath(repeated.served / file)
        state = "other bytes than served" if file in repeated.different else "the bytes served"
        if served and file in repeated.different:
            state = "added, and served from the next release on"
        click.echo(f"  {path}: {state}")
    if not repeated.different:
        return
    causes = ", and ".join(CHANGED[cause] for cause in repeated.causes)
    unchanged = "though original, packages, versions and options are those of the record"
    click.echo(f"  because {causes}" if causes else f"  {unchanged}")
    if served:
        click.echo(f"  golden cases may change: slipway test {name} --update-golden")
    else:
        click.echo(f"  to serve it: slipway weights convert {name} --add")
