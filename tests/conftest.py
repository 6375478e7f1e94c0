"""What every test has: a cache of its own, no network but this machine's, and none of the stores,
endpoints and keys that a pipeline's environment names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# how long an example takes says how busy the machine is
settings.register_profile("slipway", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("slipway")

for stage in ("STAGING", "PRODUCTION"):
    for what in ("STORE", "ENDPOINT"):
        os.environ.pop(f"SLIPWAY_{stage}_{what}", None)
for name in [name for name in os.environ if name.startswith("SLIPWAY_TRAINING_")]:
    os.environ.pop(name)
for name in ("SLIPWAY_SIGNING_KEY", "CI_PIPELINE_URL", "GITLAB_USER_LOGIN"):
    os.environ.pop(name, None)
# of the processes of pytest that tests start: the plugins of installed packages, which those do not
# need, take longer to import than most of them run
os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    from pytest_socket import socket_allow_hosts

    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture
def slipway_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that starts empty and is this test's alone."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SLIPWAY_CACHE", str(folder))
    return folder
