"""Hostile requests: never a 500 of ours, nothing read or written elsewhere, and the endpoint
answers right afterwards."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import hypothesis.strategies as st
import numpy as np
import psutil
import pytest
from hypothesis import HealthCheck, given, settings

from slipway.server.client import TARGET
from slipway.triton import kserve
from tests.artifact.test_hostile_artifacts import END, HOSTILE, file, header
from tests.endpoint import shelf as shelves
from tests.endpoint.shelf import Shelf, Up
from tests.thorough import examples

STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
SECRET = 7_654_321  # no part of a time or a size, and exact as FP32
BODY, CONTENT_TYPE = kserve.encode({"X": np.ones(2, np.float32)})
HEADER = int(CONTENT_TYPE.rpartition("=")[2])
BINARY = "application/vnd.sagemaker-triton.binary+json"

traversals = st.sampled_from(
    "../production/models/secret.tar.gz ..%2fproduction%2fmodels%2fsecret.tar.gz"
    " %2e%2e/production/models/secret.tar.gz ..%252f..%252fsecret.tar.gz ..\\production\\secret"
    " ....//production/models/secret.tar.gz /etc/passwd //etc/passwd file:///etc/passwd"
    " x/../../production/models/secret.tar.gz ..;/secret.tar.gz ../../secret.tar.gz"
    " ..%c0%af..%c0%afsecret.tar.gz %00 a%00.tar.gz ~root .. . ./scripted_1.tar.gz"
    " scripted_1.tar.gz/ scripted_1.tar.gz/x s3://other/secret.tar.gz".split()
)
letters = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=40)
targets = st.one_of(
    st.just("scripted_1.tar.gz"),
    traversals,
    letters,
    st.integers(1000, 7000).map(lambda length: "x" * length),
)
sizes = st.one_of(
    st.integers(-3, 400).map(str),
    st.sampled_from(["", "-1", "0x10", "1e9", "99999999999999999999", " 5", "5 ", "NaN", "5;5"]),
)
content_types = st.one_of(
    st.just(CONTENT_TYPE),
    st.tuples(st.sampled_from([BINARY, BINARY + " ", "APPLICATION/json"]), sizes).map(
        lambda pair: f"{pair[0]};json-header-size={pair[1]}"
    ),
    st.just("application/json"),
    letters,
)
json_bodies = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from("inputs outputs name shape datatype data parameters id X".split()),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
).map(lambda value: json.dumps(value).encode())


def damaged(change: tuple[int, bytes]) -> bytes:
    """A good body with some bytes of another kind."""
    at, put = change
    return BODY[:at] + put + BODY[at + len(put) :]


bodies = st.one_of(
    st.just(BODY),
    json_bodies,
    st.binary(max_size=300),
    st.tuples(st.integers(0, len(BODY)), st.binary(min_size=1, max_size=4)).map(damaged),
    st.just(gzip.compress(BODY)),
    st.just(b"[" * 100_000),
    st.just(b'{"inputs":[{"name":"X","shape":[9223372036854775807],"datatype":"FP32","data":[]}]}'),
)
methods = st.sampled_from("POST POST POST POST GET PUT DELETE HEAD OPTIONS PATCH TRACE FOO".split())
names = st.sampled_from(
    "local local local local nobody .. %2e%2e local%00 lo%63al local/../local %ff".split()
)
others = st.dictionaries(
    st.sampled_from(
        "Accept X-Amzn-SageMaker-Custom-Attributes Content-Encoding Expect Connection Cookie"
        " Transfer-Encoding Upgrade Range X-Forwarded-Host Inference-Header-Content-Length"
        " X-Amzn-SageMaker-Target-Variant Content-Length".split()
    ),
    st.one_of(letters, st.sampled_from(["100-continue", "close", "gzip", "chunked", "websocket"])),
    max_size=3,
)


GOOD: dict[str, st.SearchStrategy[Any]] = {
    "method": st.just("POST"),
    "name": st.just("local"),
    "target": st.just("scripted_1.tar.gz"),
    "content_type": st.just(CONTENT_TYPE),
    "body": st.just(BODY),
    "more": st.just({}),
}
# one thing at a time gets further in than all at once
CHANGES: tuple[dict[str, st.SearchStrategy[Any]], ...] = (
    {"target": targets},
    {"content_type": content_types},
    {"body": bodies},
    {"body": bodies, "content_type": content_types},
    {"more": others},
    {"method": methods, "name": names, "more": others},
    {"method": methods, "target": targets, "content_type": content_types, "body": bodies},
)


class Watched:
    """An endpoint, what it has answered, and what lies around it."""

    def __init__(self, running: Up, shelf: Shelf, folder: Path) -> None:
        self.running = running
        self.shelf = shelf
        self.folder = folder
        self.statuses: Counter[int] = Counter()
        split = urlsplit(running.url)
        self.address = (str(split.hostname), int(split.port or 0))

    def send(self, data: bytes, *, whole: bool = True) -> int:
        """The status of the (first) answer, 0 for none. Who sends no ``whole`` request hangs up."""
        with socket.create_connection(self.address, timeout=15 if whole else 0.5) as connection:
            answer = b""
            try:
                connection.sendall(data)
                if not whole:
                    connection.shutdown(socket.SHUT_WR)
                while not _is_whole(answer) and (piece := connection.recv(65536)):
                    answer += piece
            except OSError:
                pass  # the refusal came while it was still sent
        for status in STATUS.findall(answer):
            assert status != b"500", answer
        assert b"%d." % SECRET not in answer and b"root:" not in answer
        found = STATUS.match(answer)
        status = int(found[1]) if found else 0
        self.statuses[status] += 1
        return status

    def files(self) -> set[Path]:
        """Everything below the test's folder and some others that is not the endpoint's own."""
        own = ("slipway_triton_", "slipway_models_")
        found: set[Path] = set()
        for folder, inner, files in os.walk(self.folder):
            inner[:] = [name for name in inner if not name.startswith(own)]
            found.update(Path(folder, name) for name in (*inner, *files))
        # hypothesis keeps its table of characters in the working folder
        here = {path for path in Path.cwd().iterdir() if path.name != ".hypothesis"}
        return found | set(Path("/").iterdir()) | here

    def still_right(self) -> None:
        """The endpoint answers as if nothing had been."""
        until_right(self.running, "scripted_1.tar.gz")


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(end and length and len(body) >= int(length[1]))


def until_right(running: Up, target: str) -> None:
    """The next answer, or the one after a restart, is right."""
    try:
        assert running.release(target) == 1
    except running.errors.ModelError:
        assert running.release(target) == 1


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """An endpoint in a folder of its own; all temporary files are in there, too."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "tmp").mkdir()
    shelf = Shelf(folder / "shelf")
    shelf.put(1)
    secret = shelf.folder / "production" / "models" / "secret.tar.gz"
    secret.parent.mkdir(parents=True)
    secret.write_bytes(shelf.packed(SECRET))
    (shelf.folder / "secret.tar.gz").write_bytes(shelf.packed(SECRET))
    before, tempfile.tempdir = tempfile.tempdir, str(folder / "tmp")
    try:
        with shelves.up(folder / "root", shelf, invocation_s=10.0, disk=20 << 20) as running:
            yield Watched(running, shelf, folder)
    finally:
        tempfile.tempdir = before


def request(
    method: str, name: str, target: str, content_type: str, body: bytes, more: dict[str, str]
) -> bytes:
    """A request as bytes; the headers are what was made up, length included."""
    headers = {"Host": "127.0.0.1", TARGET: target, "Content-Type": content_type}
    headers |= {"Content-Length": str(len(body)), "Connection": "close"} | more
    lines = [f"{method} /endpoints/{name}/invocations HTTP/1.1"]
    lines += [f"{key}: {value}" for key, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def test_hundreds_of_hostile_requests_do_no_harm(watched: Watched) -> None:
    before, watched.statuses = watched.files(), Counter()
    memory = psutil.Process().memory_info().rss

    @given(st.one_of(*(st.fixed_dictionaries(GOOD | changed) for changed in CHANGES)))
    @settings(
        max_examples=examples(1800, 450),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def structured(made: dict[str, Any]) -> None:
        watched.send(request(**made))

    raw = st.one_of(
        st.binary(max_size=400),
        st.tuples(
            st.just(request("POST", "local", "scripted_1.tar.gz", CONTENT_TYPE, BODY, {})),
            st.integers(0, 300),
            st.binary(max_size=6),
        ).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + len(parts[2]) :]),
        st.sampled_from(
            [
                b"5\r\nabcde\r\n0\r\n\r\n",
                b"zz\r\n",
                b"ffffffffffffffff\r\nx",
                b"-1\r\n",
                b"5;x\r\nab",
            ]
        ).map(
            lambda chunks: b"POST /endpoints/local/invocations HTTP/1.1\r\nHost: localhost\r\n"
            b"X-Amzn-SageMaker-Target-Model: scripted_1.tar.gz\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + chunks
        ),
        st.sampled_from(
            [
                b"GET / HTTP/0.9\r\n\r\n",
                b"\x16\x03\x01\x02\x00",
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"GET //[ HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n",
                b"GET /state HTTP/1.1\r\nHost: localhost:99999999\r\n\r\n",
                b"POST /endpoints/local/invocations HTTP/1.1\r\n"
                b"Host: localhost\r\nContent-Length: 5\r\n"
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /state HTTP/1.1\r\n\r\n",
                b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 50_000 + b"\r\n",
            ]
        ),
    )

    @given(raw)
    @settings(
        max_examples=examples(600, 150), deadline=None, suppress_health_check=list(HealthCheck)
    )
    def unstructured(data: bytes) -> None:
        watched.send(data, whole=False)

    structured()
    unstructured()
    assert watched.statuses.total() >= examples(2000, 500), watched.statuses
    assert watched.statuses[500] == 0
    watched.still_right()
    assert watched.files() - before == set(), "written outside of the work folder"
    assert psutil.Process().memory_info().rss - memory < 300 << 20
    restarts = watched.running.inside.container.generation - 1
    print(f"\n{dict(watched.statuses)}; Triton itself was restarted {restarts} times")


@pytest.mark.parametrize(
    "name", [*HOSTILE, "cut off", "no gzip", "0 bytes", "zeros", "config is a folder", "no config"]
)
def test_a_hostile_artifact_is_told_and_does_no_harm(watched: Watched, name: str) -> None:
    before = watched.files()
    target = (
        f"hostile_{[*HOSTILE].index(name) if name in HOSTILE else name.replace(" ", "_")}.tar.gz"
    )
    watched.shelf.write(target, _artifact(watched.shelf, name))
    errors = watched.running.errors
    with pytest.raises((errors.ModelError, errors.ValidationError)) as caught:
        watched.running.ask(target)
    assert caught.value.response["Error"]["Message"]
    watched.still_right()
    assert watched.files() - before == {watched.shelf.path(target)}
    assert not Path("/slipway_escaped").exists() and not Path("/tmp/slipway_escaped").exists()


def _artifact(shelf: Shelf, name: str) -> bytes:
    good = shelf.packed(5)
    made: dict[str, Callable[[], bytes]] = {
        "cut off": lambda: good[: len(good) // 2],
        "no gzip": lambda: b"plainly no archive" * 100,
        "0 bytes": lambda: b"",
        "zeros": lambda: gzip.compress(header("m/zeros", size=1 << 30) + bytes(64 << 20), 1),
        "config is a folder": lambda: gzip.compress(
            header("m", b"5") + header("m/config.pbtxt", b"5") + header("m/1", b"5") + END
        ),
        "no config": lambda: gzip.compress(file("m/1/model.py", b"x") + END),
    }
    return made[name]() if name in made else gzip.compress(HOSTILE[name] + END, 1)
