"""Weights through a real DVC repository, with a folder and an S3 server over HTTP as remotes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from slipway.errors import SlipwayError
from slipway.model.pointer import Pointer, load_pointer
from slipway.model.weights import Weights, index_lock

FIXTURES = Path(__file__).parents[1] / "fixtures" / "pointers"
CONTENT = b"these are weights\r\n" * 4000


def dvc(root: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True, capture_output=True)


def repository(root: Path, remote: str, *options: str) -> Path:
    """A DVC repository whose one pointer's bytes are in the remote only."""
    folder = root / "models" / "x" / "x_inferencer" / "1"
    folder.mkdir(parents=True)
    dvc(root, "init", "--no-scm", "-q")
    (root / ".dvc" / "config").write_text("[core]\n    no_scm = True\n    analytics = False\n")
    dvc(root, "remote", "add", "-d", "store", remote)
    for option in options:
        name, _, value = option.partition("=")
        dvc(root, "remote", "modify", "store", name, value)
    (folder / "w.onnx").write_bytes(CONTENT)
    dvc(root, "add", "-q", str(folder / "w.onnx"))
    dvc(root, "push", "-q")
    (folder / "w.onnx").unlink()
    for file in (root / ".dvc" / "cache" / "files").rglob("*"):
        if file.is_file():
            file.chmod(0o644)
            file.unlink()
    return folder / "w.onnx.dvc"


def remote_object(root: Path) -> Path:
    digest = hashlib.md5(CONTENT).hexdigest()
    return root.parent / "remote" / "files" / "md5" / digest[:2] / digest[2:]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dvc")
    (folder / "checkout").mkdir()
    repository(folder / "checkout", "../remote")
    return folder


@pytest.fixture
def root(tmp_path: Path, made_once: Path) -> Path:
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path / "checkout"


@pytest.fixture
def pointer(root: Path) -> Pointer:
    return load_pointer(root / "models/x/x_inferencer/1/w.onnx.dvc")


def test_of_many_builds_at_once_one_creates_the_index_of_dvc(root: Path, pointer: Pointer) -> None:
    weights = Weights(root)
    with ThreadPoolExecutor(1) as pool:
        with index_lock(weights.repo):
            opened = pool.submit(Weights(root).remote_of, pointer)
            with pytest.raises(TimeoutError):
                opened.result(1)
        assert opened.result().name == "store"


def test_weights_come_from_the_remote_and_then_from_the_cache(root: Path, pointer: Pointer) -> None:
    Weights(root).pull(pointer, root / "out")
    assert (root / "out").read_bytes() == CONTENT
    remote_object(root).unlink()
    Weights(root).pull(pointer, root / "again")
    assert (root / "again").read_bytes() == CONTENT
    assert [file.read_bytes() for file in Weights(root).cached(pointer).values()] == [CONTENT]


def test_a_damaged_object_in_the_cache_is_fetched_anew(root: Path, pointer: Pointer) -> None:
    [cached] = Weights(root).cached(pointer).values()
    cached.chmod(0o644)
    cached.write_bytes(b"damaged")
    Weights(root).pull(pointer, root / "out")
    assert (root / "out").read_bytes() == CONTENT
    cached.chmod(0o644)
    cached.write_bytes(b"damaged again")
    [cached] = Weights(root).cached(pointer).values()
    assert cached.read_bytes() == CONTENT


def test_a_directory_of_weights_is_pulled_whole(root: Path) -> None:
    folder = root / "models/x/x_inferencer/1/saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "model.pb").write_bytes(b"graph")
    (folder / "variables/data").write_bytes(b"numbers")
    dvc(root, "add", "-q", str(folder))
    dvc(root, "push", "-q")
    Weights(root).pull(load_pointer(folder.with_name("saved.dvc")), root / "out")
    assert (root / "out/model.pb").read_bytes() == b"graph"
    assert (root / "out/variables/data").read_bytes() == b"numbers"


def failed(root: Path, pointer: Pointer) -> SlipwayError:
    with pytest.raises(SlipwayError) as caught:
        Weights(root).pull(pointer, root / "out")
    assert not (root / "out").exists()
    assert [file for file in root.iterdir() if file.name.startswith(".aside")] == []
    assert caught.value.where is not None and "model x: " in caught.value.where
    assert "w.onnx.dvc" in caught.value.where and caught.value.fix
    return caught.value


def test_a_missing_object_is_named(root: Path, pointer: Pointer) -> None:
    remote_object(root).unlink()
    assert "missing object" in failed(root, pointer).what


def test_a_wrong_md5_is_named_and_nothing_enters_the_cache(root: Path, pointer: Pointer) -> None:
    remote_object(root).chmod(0o644)
    remote_object(root).write_bytes(b"other bytes")
    assert "wrong md5" in failed(root, pointer).what
    assert "wrong md5" in failed(root, pointer).what


def test_a_remote_whose_folder_is_gone_is_unreachable(root: Path, pointer: Pointer) -> None:
    (root.parent / "remote").rename(root.parent / "elsewhere")
    assert "unreachable remote 'store'" in failed(root, pointer).what


def test_a_repository_without_a_remote_says_so(root: Path, pointer: Pointer) -> None:
    dvc(root, "remote", "remove", "store")
    assert "no remote" in failed(root, pointer).what


@pytest.mark.parametrize("folder", sorted(FIXTURES.iterdir()), ids=lambda folder: folder.name)
def test_a_malformed_pointer_is_refused(folder: Path) -> None:
    with pytest.raises(SlipwayError, match="pointer") as caught:
        load_pointer(folder / "w.onnx.dvc")
    assert caught.value.fix and str(folder) in str(caught.value)


def test_a_pointer_that_is_not_yaml_names_its_line() -> None:
    with pytest.raises(SlipwayError, match="w.onnx.dvc:4: malformed"):
        load_pointer(FIXTURES / "not-yaml" / "w.onnx.dvc")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for key, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setitem(os.environ, "AWS_MAX_ATTEMPTS", "1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=url).create_bucket(
        Bucket="weights", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    yield url
    server.stop()


def test_an_s3_remote_serves_over_http_and_its_errors_are_told_apart(
    tmp_path: Path, s3: str
) -> None:
    pointer = load_pointer(repository(tmp_path, "s3://weights/dvc", f"endpointurl={s3}"))
    client = boto3.client("s3", endpoint_url=s3)
    [stored] = client.list_objects_v2(Bucket="weights")["Contents"]
    key = stored["Key"]

    Weights(tmp_path).pull(pointer, tmp_path / "first")
    assert (tmp_path / "first").read_bytes() == CONTENT

    def forget() -> None:
        for file in (tmp_path / ".dvc/cache/files").rglob("*"):
            if file.is_file():
                file.unlink()

    forget()
    client.put_object(Bucket="weights", Key=key, Body=b"other bytes")
    assert "wrong md5" in failed(tmp_path, pointer).what
    client.delete_object(Bucket="weights", Key=key)
    assert "missing object" in failed(tmp_path, pointer).what
    client.delete_bucket(Bucket="weights")
    assert "unreachable remote" in failed(tmp_path, pointer).what
