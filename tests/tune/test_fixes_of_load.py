"""What ends a search while it measures is measured once its ``fix:`` was followed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from aiohttp import web
from click.testing import CliRunner

from slipway.cli.endpoint.endpoint import endpoint as endpoint_command
from slipway.cli.endpoint.loadtest import loadtest
from slipway.errors import SlipwayError
from slipway.loadtest.address import local_address
from slipway.loadtest.exchange import Request
from slipway.model.config_interface import interface_of_folder
from slipway.tune.answers import Answers
from slipway.tune.candidate import BASELINE
from slipway.tune.estimate import Clients
from slipway.tune.load import Side, measure_pairs
from slipway.tune.place import Place
from slipway.tune.remote import RemoteModel
from slipway.tune.session import Session, Terms
from slipway.tune.state import State
from tests.loadtest.fake_endpoint import FakeEndpoint, serving
from tests.tune import served_models
from tests.tune.fake_place import TARGET, FakePlace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model ``doubling``."""
    return served_models.doubling(tmp_path / "doubling")


@pytest.fixture
def answering() -> Iterator[FakeEndpoint]:
    """An endpoint that answers at once."""
    with serving(FakeEndpoint()) as running:
        yield running


def test_where_there_is_room_for_two_the_same_command_measures(
    folder: Path, tmp_path: Path, answering: FakeEndpoint
) -> None:
    place = FakePlace(folder, answering.url, has_room=False)

    def measure() -> State:
        state = State(tmp_path / "state.json")
        answers = Answers(folder, place.baseline_model)
        terms = Terms(Clients(1, 1), 60.0, block_s=0.01)
        session = Session(cast(Place, place), answers, state, terms, lambda _: nullcontext())
        session.measure(BASELINE, 1)
        return state

    with pytest.raises(SlipwayError, match="loaded a second time, fails: out of memory") as error:
        measure()
    assert error.value.fix is not None and "there may be no room for two" in error.value.fix
    place.has_room = True
    assert measure().measured[BASELINE].failure is None


def pairs(url: str, clients: int) -> int:
    """Measure a model against itself, and return how many answers the first block has."""
    side = Side(local_address(url, "local"), [Request(TARGET, b"{}", "a/b")], baseline=True)
    found = measure_pairs(side, side, [clients], lambda: None, np.random.default_rng(0), 0.01)
    return found[0].baseline.answers


class Forgetful(set[str]):
    """The models of an endpoint that has room for none."""

    def add(self, element: str) -> None:
        """Load it for one request."""


def test_an_endpoint_with_memory_for_two_is_measured(answering: FakeEndpoint) -> None:
    answering.loaded = Forgetful()
    with pytest.raises(SlipwayError, match="evicts one of the two") as error:
        pairs(answering.url, 1)
    assert error.value.fix is not None and "slipway endpoint up --memory SIZE" in error.value.fix
    assert "--memory" in CliRunner().invoke(endpoint_command, ["up", "--help"]).output
    answering.loaded = set()
    assert pairs(answering.url, 1) > 0


@dataclass
class Crowded(FakeEndpoint):
    """An endpoint that answers at most two at a time, once a third was refused."""

    inside: int = 0
    hold: int = 3

    async def invoke(self, request: web.Request) -> web.Response:
        self.inside += 1
        try:
            if self.inside <= 2:
                return await super().invoke(request)
            self.seen.append({})
            return web.json_response({"Message": "too many"}, status=500)
        finally:
            self.inside -= 1


def test_fewer_clients_are_answered() -> None:
    with serving(Crowded()) as crowded:
        with pytest.raises(SlipwayError, match="the model as it is fails under load") as error:
            pairs(crowded.url, 8)
        assert error.value.fix is not None and error.value.fix.startswith("fewer with --clients")
        assert pairs(crowded.url, 1) > 0
    assert "slipway loadtest --concurrency" in error.value.fix
    assert "--concurrency" in CliRunner().invoke(loadtest, ["--help"]).output


def test_an_endpoint_that_is_up_answers(folder: Path, answering: FakeEndpoint) -> None:
    interface = interface_of_folder(folder)
    away = RemoteModel(local_address("http://127.0.0.1:1", "local"), TARGET, interface)
    with pytest.raises(SlipwayError, match="does not answer") as error:
        away({"X": served_models.ones(4)})
    assert error.value.fix == "slipway endpoint up, or correct --endpoint or --url"
    model = RemoteModel(local_address(answering.url, "local"), TARGET, interface)
    model({"X": served_models.ones(4)})
    assert len(answering.seen) == 1
