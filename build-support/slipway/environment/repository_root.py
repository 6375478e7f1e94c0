"""The repository's root, looked up once for all that ask while no file changes."""

from __future__ import annotations

from slipway.settings import find_root
from slipway.unchanged import remembered

# not in settings: the client's wheel has those, and runs on older Pythons
repository_root = remembered(find_root)
