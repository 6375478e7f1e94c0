"""Compare the configured Python with that of Triton's stub, which runs Python models."""

from __future__ import annotations

from slipway.errors import SlipwayError
from slipway.settings import FILE_NAME, Settings, stub_python


def refuse_python(settings: Settings) -> None:
    """Refuse another Python than that of the configured Triton's stub.

    Raises:
        SlipwayError: the minor versions differ.
    """
    required = stub_python(settings.triton_release)
    if settings.python != required:
        raise SlipwayError(
            f"Triton {settings.triton_release} serves Python models with {required}, not with"
            f" {settings.python}: it would silently ignore this environment",
            where=str(settings.root / FILE_NAME),
            fix=f'set [environment] python = "{required}", or another [triton] release',
        )
