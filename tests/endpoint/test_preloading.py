"""``slipway endpoint up --warm``: models are loaded before the endpoint says that it is up."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from slipway.endpoint import serving
from slipway.endpoint.limits import Limits
from slipway.endpoint.warm import load_named
from slipway.errors import SlipwayError
from slipway.model.config_interface import interface_of_folder
from slipway.settings import EndpointSettings, Settings
from slipway.store.directory import DirectoryStore
from tests import fixture_models
from tests.endpoint.shelf import Shelf
from tests.pipeline.releases import released


def test_named_models_are_loaded_without_a_request(tmp_path: Path, shelf: Shelf) -> None:
    interface = interface_of_folder(fixture_models.MODELS / "scripted")
    store = DirectoryStore(shelf.folder)
    for number, name in enumerate(("first", "second", "third")):
        shelf.put(number, f"{name}_1.0.0.tar.gz")
        released(store, "1.0.0", name=name, stage="staging", interface=interface)
    shelf.write("second_1.0.0.tar.gz", b"not an archive")
    settings = Settings(root=tmp_path)
    entry = EndpointSettings("local", store=str(shelf.folder), allow=("first*", "second*"))

    async def serve() -> tuple[list[str], list[str], int]:
        async with serving.serve(
            settings, [entry], port=0, limits=lambda _: Limits(), isolated=False
        ) as served:
            lines = await load_named(
                settings, [entry], served, ["first", "second", "third", "first"]
            )
            endpoint = served.endpoints["local"]
            loaded = [model.target for model in endpoint.models.table.loaded]  # type: ignore[union-attr]
            with pytest.raises(SlipwayError, match="no"):
                await load_named(settings, [entry], served, ["unknown"])
            return lines, loaded, len(endpoint.observer.statistics["first_1.0.0.tar.gz"].latencies)

    lines, loaded, requests = asyncio.run(serve())
    assert lines[0].startswith("✓ first_1.0.0.tar.gz loaded in ")
    assert lines[1].startswith("✗ second_1.0.0.tar.gz is not loaded: ")
    assert lines[2] == "✗ third_1.0.0.tar.gz is not loaded: --allow does not allow it"
    assert loaded == ["first_1.0.0.tar.gz"] and requests == 0
