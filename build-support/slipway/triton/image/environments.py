"""Where a serving image has execution environments of its own, and how configs name them."""

from __future__ import annotations

FOLDER = "/opt/slipway/environments"
# of an image: the digests of its environments, with spaces between them
LABEL = "io.slipway.environments"


def image_path(digest: str) -> str:
    """Return the path of the environment ``digest`` (64 hex digits) in an image that has it."""
    return f"{FOLDER}/{digest}"
