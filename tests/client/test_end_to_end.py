"""The client, the generated client and the command against a local endpoint with a real Triton."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from slipway.cli import main
from slipway.client import Endpoint, InvocationError, ModelError
from slipway.endpoint import registry
from slipway.model.config_interface import interface_of_folder
from slipway.settings import EndpointSettings
from slipway.store.directory import DirectoryStore
from tests import fixture_models
from tests.client import releases
from tests.client.modules import import_text
from tests.client.scraped import metric_value
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf, Up, until

ADDER, IDENTITY = "adder_1.0.0.tar.gz", "identity_1.0.0.tar.gz"
ONE, TWO, COLD, HELD = (f"scripted_{number}.0.0.tar.gz" for number in (1, 2, 3, 4))


@dataclass(frozen=True)
class Place:
    """A repository in the folder ``root``, its releases, and the endpoint ``local`` that serves
    them; ``held`` is the file that the release 4 waits for while it is loaded."""

    root: Path
    store: DirectoryStore
    held: Path
    running: Up


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("repository")
    shelf = Shelf(root)
    (root / "slipway.toml").write_text(
        f'[release]\nstore = "{shelf.folder.name}"\n', encoding="utf-8"
    )
    store = DirectoryStore(shelf.folder)
    for name, target in (("adder", ADDER), ("identity", IDENTITY)):
        folder = fixture_models.copy(name, root / "copies")
        fixture_models.pack(folder, shelf.path(target))
        releases.release(store, target, interface_of_folder(folder), name=name)
        releases.alias(store, target, name=name)
    scripted = interface_of_folder(fixture_models.MODELS / "scripted")
    held = shelf.gate("held")
    for number, target in enumerate((ONE, TWO, COLD, HELD), 1):
        shelf.put(number, target, **({"load_when": held} if target == HELD else {}))
        releases.release(store, target, scripted, name="scripted")
    releases.alias(store, ONE, name="scripted")
    with shelves.up(root, shelf, not_ready_s=0.5) as running:
        with registry.register(root, ["local"], running.url):
            yield Place(root, store, held, running)
        held.touch()


@pytest.fixture
def endpoint(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """Return a client as an application creates it: by the endpoint's name, in the repository."""
    monkeypatch.chdir(place.root)
    releases.alias(place.store, ONE, name="scripted")
    with Endpoint("local") as client:
        yield client


def test_strings_bytes_and_batches_are_returned_unchanged(endpoint: Endpoint) -> None:
    outputs = endpoint.model("identity").predict(
        {"TEXT": ["h\u00e9", b"a\0\xff"], "NUMBERS": [[1, 2, 3], [4, 5, 6]]}
    )
    assert outputs["TEXT_BACK"].tolist() == [["h\u00e9".encode()], [b"a\0\xff"]]
    assert outputs["NUMBERS_BACK"].dtype == np.float32
    assert outputs["NUMBERS_BACK"].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_models_refusal_has_its_own_message(endpoint: Endpoint) -> None:
    with pytest.raises(ModelError) as caught:
        endpoint.model("identity").predict({"TEXT": "refuse me", "NUMBERS": [[1]]})
    assert caught.value.status == 400
    assert "refused as asked" in caught.value.message


def test_a_model_that_is_still_loading_is_invoked_until_it_responds(
    endpoint: Endpoint, place: Place
) -> None:
    model = endpoint.model("scripted", target=HELD)
    retries = "slipway_client_retries_total"
    with ThreadPoolExecutor(1) as threads:
        asking = threads.submit(model.predict, {"X": [1, 2]})
        until(lambda: metric_value(endpoint, retries, reason="ModelNotReadyException"))
        place.held.touch()
        assert asking.result()["Y"].tolist() == [6, 8]


def test_many_threads_share_one_client(endpoint: Endpoint) -> None:
    model = endpoint.model("adder")

    def ask(number: int) -> bool:
        outputs = model.predict({"A": [number] * 4, "B": np.ones((1, 4), np.float32)})
        return bool((outputs["SUM"] == number + 1).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(100)))


def test_variants_share_the_invocations_and_a_key_always_gets_the_same(
    endpoint: Endpoint, place: Place
) -> None:
    releases.alias(place.store, ONE, TWO, name="scripted")
    model = endpoint.model("scripted")
    for number in range(30):
        first, second = (model.ask({"X": [0]}, key=f"user-{number}") for _ in range(2))
        assert first.target == second.target
        assert first.outputs["Y"].item() == (1 if first.target == ONE else 2)
    shares = [
        metric_value(endpoint, "slipway_client_invocations_total", variant=target, outcome="ok")
        for target in (ONE, TWO)
    ]
    assert sum(shares) == 60 and min(shares) > 0


def test_a_cold_shadow_delays_no_caller_and_its_difference_is_counted(
    endpoint: Endpoint, place: Place
) -> None:
    releases.alias(place.store, ONE, shadow=COLD, name="scripted")
    model = endpoint.model("scripted")
    # whoever asks first waits for the load, in the background
    assert model.predict({"X": [1]})["Y"].tolist() == [3]
    until(lambda: COLD in place.running.loaded())
    assert model.predict({"X": [1]})["Y"].tolist() == [3]
    endpoint.close()
    comparisons = "slipway_client_shadow_comparisons_total"
    assert metric_value(endpoint, comparisons, variant=COLD, outcome="differed") >= 1
    assert metric_value(endpoint, comparisons, variant=COLD, outcome="agreed") == 0


def test_a_deleted_target_is_reported_with_what_to_check(endpoint: Endpoint, place: Place) -> None:
    scripted = interface_of_folder(fixture_models.MODELS / "scripted")
    releases.release(place.store, "scripted_9.0.0.tar.gz", scripted, name="scripted")
    with pytest.raises(InvocationError) as caught:
        endpoint.model("scripted", target="scripted_9.0.0.tar.gz").predict({"X": [1]})
    assert (caught.value.status, caught.value.code) == (400, "ValidationError")
    assert caught.value.fix and "store and stage" in caught.value.fix


def test_a_caller_without_permission_is_told_which_action_to_allow(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(1, ONE)
    scripted = interface_of_folder(fixture_models.MODELS / "scripted")
    releases.release(DirectoryStore(shelf.folder), ONE, scripted, name="scripted")
    with shelves.up(tmp_path, shelf, allow=("screen_*",)) as running:
        entry = EndpointSettings("local", store=str(shelf.folder))
        with Endpoint(settings=entry, url=running.url) as endpoint:
            with pytest.raises(InvocationError, match="AccessDeniedException") as caught:
                endpoint.model("scripted", target=ONE).predict({"X": [1]})
            assert caught.value.fix and "sagemaker:TargetModel" in caught.value.fix


def test_a_generated_client_invokes_the_model_it_was_generated_for(
    endpoint: Endpoint, place: Place, tmp_path: Path
) -> None:
    assert main(["client", "adder", "-o", str(tmp_path / "adder.py")]) == 0
    module = import_text((tmp_path / "adder.py").read_text(encoding="utf-8"), tmp_path)
    answer = module.AdderClient(endpoint).predict(a=[1, 2, 3, 4], b=[[1, 1, 1, 1]])
    assert answer.sum.tolist() == [[2, 3, 4, 5]] and answer.sum.dtype == np.float32


def test_the_command_sends_json_files_and_arrays(
    endpoint: Endpoint, place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"a": [1, 2, 3, 4], "b": [1, 1, 1, 1]}, {"a": [0, 0, 0, 0], "b": [5, 6, 7, 8]}]
    assert main(["invoke", "adder", "--data", json.dumps(rows), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["target"] == ADDER
    assert result["outputs"] == {"SUM": [[2.0, 3.0, 4.0, 5.0], [5.0, 6.0, 7.0, 8.0]]}

    for name in ("a", "b"):
        np.save(tmp_path / f"{name}.npy", np.ones((2, 4), np.float32))
    words = ["invoke", "adder", "--npy", f"A={tmp_path}/a.npy", "--npy", f"b={tmp_path}/b.npy"]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    assert np.load(tmp_path / "out" / "SUM.npy").tolist() == [[2] * 4] * 2

    (tmp_path / "one.txt").write_bytes(b"first")
    (tmp_path / "two.txt").write_bytes(b"second")
    files = [str(tmp_path / "one.txt"), str(tmp_path / "two.txt")]
    capsys.readouterr()
    assert main(["invoke", "identity", *files, "--data", '{"numbers": [[1], [2]]}']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[2:]] == [["first", "1.0"], ["second", "2.0"]]


def test_a_closed_client_leaves_no_thread(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.root)
    releases.alias(place.store, ONE, shadow=TWO, name="scripted")
    with Endpoint("local") as client:
        client.model("scripted").predict({"X": [1]})
        assert any(t.name == "slipway-shadow" for t in threading.enumerate())
    assert not any(t.name == "slipway-shadow" for t in threading.enumerate())
