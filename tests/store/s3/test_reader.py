"""S3 as a release store: what boto3's configuration decides, and each refusal with its fix."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.core.authorization import enable_iam_authentication

from slipway.errors import SlipwayError
from slipway.store.interface import Reader
from slipway.store.open_reader import open_reader
from tests.store.readable_stores import BUCKET, PREFIX, BucketStore


def refusals(reader: Reader) -> list[SlipwayError]:
    """What each way to read raises."""

    def opened() -> None:
        with reader.open("key"):
            pass

    caught = []
    for read in (
        lambda: reader.read("key"),
        lambda: reader.stat("key"),
        lambda: reader.keys(""),
        opened,
    ):
        with pytest.raises(SlipwayError) as error:
            read()
        caught.append(error.value)
    return caught


def test_more_keys_than_fit_a_page_are_all_listed(
    release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        release_bucket.put(f"models/{number}", b"")
    release_bucket.put("models/", b"")  # the console's way to make a folder
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    assert release_bucket.reader.keys("models/") == [f"models/{number}" for number in range(7)]


def test_a_bucket_without_a_prefix_is_a_store(release_bucket: BucketStore) -> None:
    release_bucket.put("key", b"bytes")
    for location in (f"s3://{BUCKET}", f"s3://{BUCKET}/"):
        assert open_reader(location, Path()).read(f"{PREFIX}/key") == b"bytes"
    assert open_reader(f"s3://{BUCKET}/{PREFIX}/", Path()).keys("") == ["key"]


def test_a_profile_says_which_endpoint_and_whose_credentials(
    release_bucket: BucketStore, moto: str, aws: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_bucket.put("key", b"bytes")
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (aws / "config").write_text(f"[profile team]\nregion = eu-west-1\nendpoint_url = {moto}\n")
    (aws / "credentials").write_text("[team]\naws_access_key_id = a\naws_secret_access_key = b\n")
    assert open_reader(release_bucket.location, Path(), profile="team").read("key") == b"bytes"
    monkeypatch.setenv("AWS_PROFILE", "team")
    assert open_reader(release_bucket.location, Path()).read("key") == b"bytes"
    with pytest.raises(SlipwayError, match="nobody") as caught:
        open_reader(release_bucket.location, Path(), profile="nobody")
    assert caught.value.fix == "aws configure list-profiles"


def test_a_missing_bucket_is_named_by_every_way_to_read(release_bucket: BucketStore) -> None:
    for error in refusals(open_reader("s3://no-such-bucket/team", Path())):
        assert error.what == "no bucket 'no-such-bucket'"
        assert error.fix and str(error.where).startswith("s3://no-such-bucket/team/")


def test_a_bucket_of_no_possible_name_is_a_mistake_in_the_settings(
    release_bucket: BucketStore,
) -> None:
    for error in refusals(open_reader("s3://no bucket", Path())):
        assert "no bucket" in error.what and error.fix == "correct slipway.toml: release.store"


def test_wrong_credentials_and_denied_access_are_told_apart(
    release_bucket: BucketStore, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_bucket.put("key", b"")
    iam = boto3.client("iam", endpoint_url=moto)
    iam.create_user(UserName="reader")
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    with enable_iam_authentication():
        unknown = refusals(open_reader(release_bucket.location, Path()))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", made["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", made["SecretAccessKey"])
        denied = refusals(open_reader(release_bucket.location, Path()))
    for error in unknown:
        assert "refuses the credentials" in error.what and "get-caller-identity" in str(error.fix)
    for error in denied:
        assert "access denied" in error.what and "s3:ListBucket" in str(error.fix)


def test_missing_credentials_are_an_error(
    release_bucket: BucketStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for error in refusals(open_reader(release_bucket.location, Path())):
        assert error.what.startswith("no AWS credentials") and "aws configure" in str(error.fix)


def test_an_unreachable_endpoint_is_an_error(aws: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
        for error in refusals(open_reader("s3://releases", Path())):
            assert "was not reached" in error.what and "AWS_ENDPOINT_URL_S3" in str(error.fix)


@pytest.mark.parametrize(
    ("location", "endpoint"), [("s3://", "http://127.0.0.1"), ("s3://releases", "no url")]
)
def test_a_wrong_configuration_is_an_error_before_anything_is_sent(
    aws: Path, monkeypatch: pytest.MonkeyPatch, location: str, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    with pytest.raises(SlipwayError) as caught:
        open_reader(location, Path())
    assert caught.value.fix


@pytest.fixture
def sending(aws: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """An S3 that announces an object of 1 TB and sends as many bytes as it is told."""
    told: list[int] = []

    def answer() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
            left = told[0]
            try:
                while left > 0:
                    left -= connection.send(b"x" * min(left, 1 << 16))
            except OSError:
                pass  # the reader has left

    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.getsockname()[1]}")
        thread = threading.Thread(target=answer)
        thread.start()
        yield told
        thread.join()


def test_an_object_larger_than_memory_is_read_as_far_as_it_is_wanted(sending: list[int]) -> None:
    sending.append(10**12)
    with open_reader("s3://releases", Path()).open("key") as stream:
        assert stream.read(5) == b"xxxxx"


def test_a_connection_that_breaks_off_is_an_error_and_not_the_end(sending: list[int]) -> None:
    sending.append(100_000)
    with (
        pytest.raises(SlipwayError, match="connection broke") as caught,
        open_reader("s3://releases", Path()).open("key") as stream,
    ):
        while stream.read(1 << 16):
            pass
    assert caught.value.fix
