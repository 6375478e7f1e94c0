"""``observed.json`` is what the real server does today with each bad fixture."""

from __future__ import annotations

import json

from check import fixture_repositories, observations


def test_the_real_server_still_does_what_was_observed() -> None:
    observed = json.loads(observations.OBSERVED.read_text(encoding="utf-8"))
    assert observations.observe(fixture_repositories.names()) == observed
