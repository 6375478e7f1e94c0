"""Models that no server on this machine can test, because it lacks their backend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from slipway.check.config_file import ConfigFile
from slipway.check.unfilled import is_template
from slipway.errors import SlipwayError
from slipway.server.available import COMPILED, OF_WHEEL, lacks, where_to_test
from slipway.server.source import find_server
from slipway.settings import Settings
from slipway.triton.config import FILE_NAME


def untestable_reason(
    folder: Path, settings: Settings, backends: Mapping[str, str] | None = None
) -> SlipwayError | None:
    """Return the error for a model in ``folder`` that cannot be tested here; else ``None``.

    ``backends`` are its :func:`named_backends`, if its configs were read already. Where there is no
    server at all, this is not asked.
    """
    if backends is None:
        backends = named_backends(map(ConfigFile, sorted(folder.glob(f"*/{FILE_NAME}"))))
    if set(backends.values()) <= OF_WHEEL:
        return None  # every server has them: Docker need not be asked
    try:
        source = find_server(settings)
    except SlipwayError:
        return None
    missing = {name: lacks(source, backend) for name, backend in backends.items()}
    lacking = {name: what for name, what in missing.items() if what is not None}
    if not lacking:
        return None
    name, what = next(iter(lacking.items()))
    more = f"; {len(lacking) - 1} more of its models lack something" if len(lacking) > 1 else ""
    return SlipwayError(
        f"it cannot be tested on this machine, whose server has {what}{more}; that is no mistake of"
        f" the model ({source})",
        where=str(folder / name / FILE_NAME),
        fix=where_to_test(backends[name], folder.name, settings),
    )


def named_backends(configs: Iterable[ConfigFile]) -> dict[str, str]:
    """Return the backend of each model, without those whose library is in the model's directory."""
    return {
        config.name: COMPILED if _is_compiled(config) else config.backend
        for config in configs
        if config.backend and not config.has_own_library and not is_template(config.backend)
    }


def _is_compiled(config: ConfigFile) -> bool:
    return config.message is not None and config.message.platform == COMPILED
