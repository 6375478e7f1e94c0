"""SW262 and SW263: an environment that a foreign repository ships; Slipway packs its own."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.finding import Location, RuleHit
from slipway.check.model_files import is_present
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.settings import stub_python
from slipway.triton.environment_path import KEYWORD, PARAMETER

BACKEND = "Triton's Python backend, python_be.cc and pb_env.cc, and seen on 24.10"
# of an archive; each environment names its Python in the first few
MOST_MEMBERS = 2000
PYTHON = re.compile(r"(?:^|/)lib/(?:libpython(?P<library>3\.\d+)\.so|python(?P<minor>3\.\d+)/)")
STUB = "triton_python_backend_stub"  # a model may bring one for another Python


@rule(
    "SW262",
    "environment-missing",
    scope="foreign",
    reason="the load fails: “Failed to get the canonical path for” the environment",
    source=BACKEND,
)
def environment_missing(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find an ``EXECUTION_ENV_PATH`` in the model directory that does not exist."""
    for config, path in _environments(model):
        if not is_present(path):
            yield RuleHit(
                _location(config),
                f"there is no {path.name} in {path.parent}/",
                f"copy it there; or remove {PARAMETER}, if the container has what model.py imports",
            )


@rule(
    "SW263",
    "environment-of-another-python",
    scope="foreign",
    reason="the stub uses its own Python and silently ignores the environment",
    source="seen on 24.10; NVIDIA's release notes say which Python each container has",
)
def environment_of_another_python(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find environments whose Python is not that of the release's stub."""
    release = model.settings.triton_release
    for config, path in _environments(model):
        python = _python_of(path)
        if python and python != stub_python(release):
            yield RuleHit(
                _location(config),
                f"{path.name} is an environment of Python {python}, and the stub of Triton"
                f" {release} is {stub_python(release)}",
                f"build it with Python {stub_python(release)}",
            )


def _environments(model: ModelUnderCheck) -> Iterator[tuple[ConfigFile, Path]]:
    """Yield the environments below the models' own directories."""
    for config, message in model.parsed.values():
        parameters = message.parameters if config.backend == "python" else {}
        value = parameters[PARAMETER].string_value if PARAMETER in parameters else ""
        inside = value.removeprefix(f"{KEYWORD}/")
        if inside != value and inside and not (config.directory / STUB).exists():
            yield config, config.directory / inside


def _location(config: ConfigFile) -> Location:
    return config.value_location("parameters", PARAMETER, "value", "string_value")


def _python_of(path: Path) -> str | None:
    """Return the minor version of the Python in an environment; ``None`` if it is not seen."""
    if path.is_dir():
        # conda links lib/python3.1 to lib/python3.12
        entries = (entry for entry in path.glob("lib/*") if not entry.is_symlink())
        return _first(f"lib/{entry.name}/" for entry in entries)
    try:
        with tarfile.open(path) as archive:
            return _first(member.name for member in islice(archive, MOST_MEMBERS))
    except (OSError, EOFError, zlib.error, tarfile.TarError):
        return None


def _first(names: Iterable[str]) -> str | None:
    matches = (PYTHON.search(name) for name in names)
    return next((match["library"] or match["minor"] for match in matches if match), None)
