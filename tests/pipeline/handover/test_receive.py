"""Weights from a research repository: fetched from GitLab's API over HTTP, placed, proposed."""

from __future__ import annotations

import http.server
import io
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway import settings
from slipway.errors import SlipwayError
from slipway.pipeline.handover.job_artifact import FILE, download
from slipway.pipeline.handover.merge_request import propose
from slipway.pipeline.handover.receive import receive_weights
from tests import fixture_models
from tests.pipeline import history
from tests.pipeline.history import NOBODY, History

TOKEN = "job-token-of-this-job"
PLACE = "adder/1/model.onnx"


class GitLab:
    """What GitLab's API and its object storage answer, and what each of them was sent."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.redirect = ""
        self.asked: list[tuple[str, str | None]] = []
        self.stored: list[str | None] = []
        self.url = ""
        self.storage = ""


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    told = GitLab()

    class Api(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers.get("JOB-TOKEN")))
            if told.redirect:
                self.send_response(302)
                self.send_header("Location", told.redirect)
                self.end_headers()
                return
            self._answer()

        def _answer(self) -> None:
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(told.body)))
            self.end_headers()
            self.wfile.write(told.body)

        def log_message(self, *words: object) -> None:
            pass

    class Storage(Api):
        def do_GET(self) -> None:
            told.stored.append(self.headers.get("JOB-TOKEN"))
            self._answer()

    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), each) for each in (Api, Storage)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    told.url = f"http://127.0.0.1:{servers[0].server_address[1]}"
    # another name of the same machine is another host to a client
    told.storage = f"http://localhost:{servers[1].server_address[1]}/object"
    yield told
    for server in servers:
        server.shutdown()
        server.server_close()


def _fetch(gitlab: GitLab, to: Path, most: int = 1 << 20) -> None:
    environ = {"CI_JOB_TOKEN": TOKEN, "CI_SERVER_URL": gitlab.url}
    download(environ, "research/vision", 4711, to, most)


def test_a_handed_over_file_is_fetched_by_the_jobs_own_token(
    gitlab: GitLab, tmp_path: Path
) -> None:
    gitlab.body = os.urandom(300_000)
    _fetch(gitlab, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == gitlab.body
    path = f"/api/v4/projects/research%2Fvision/jobs/4711/artifacts/{FILE}"
    assert gitlab.asked == [(path, TOKEN)]


def test_object_storage_sends_the_file_and_never_sees_the_token(
    gitlab: GitLab, tmp_path: Path
) -> None:
    gitlab.body, gitlab.redirect = b"stored", gitlab.storage
    _fetch(gitlab, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == b"stored" and gitlab.stored == [None]


def test_more_bytes_than_allowed_are_not_taken(gitlab: GitLab, tmp_path: Path) -> None:
    gitlab.body = b"x" * 5_000_000
    with pytest.raises(SlipwayError, match="more than 1,000,000 bytes") as caught:
        _fetch(gitlab, tmp_path / "got", most=1_000_000)
    assert caught.value.fix and (tmp_path / "got").stat().st_size <= 1_000_000


@pytest.mark.parametrize(
    ("status", "fix"), [(401, "token perm"), (403, "token perm"), (404, "exp")]
)
def test_each_refusal_says_what_to_do_and_not_the_token(
    gitlab: GitLab, tmp_path: Path, status: int, fix: str
) -> None:
    gitlab.status, gitlab.body = status, f'{{"message": "no {TOKEN}"}}'.encode()
    with pytest.raises(SlipwayError) as caught:
        _fetch(gitlab, tmp_path / "got")
    assert fix in str(caught.value.fix) and TOKEN not in str(caught.value)


def test_a_gitlab_that_is_not_there_is_said(tmp_path: Path) -> None:
    environ = {"CI_JOB_TOKEN": TOKEN, "CI_SERVER_URL": "http://127.0.0.1:9"}
    with pytest.raises(SlipwayError, match="cannot reach GitLab"):
        download(environ, "research/vision", 1, tmp_path / "got", 10)
    with pytest.raises(SlipwayError, match="CI_JOB_TOKEN"):
        download({}, "research/vision", 1, tmp_path / "got", 10)


def _packed(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """A repository with the model ``adder`` and a DVC remote beside it."""
    for key, value in NOBODY.items():
        monkeypatch.setenv(key, value)
    made = history.begin(tmp_path / "here")
    fixture = fixture_models.MODELS / "adder"
    for file in ("model_version.txt", "adder/config.pbtxt"):
        made.write(f"models/adder/{file}", (fixture / file).read_text(encoding="utf-8"))
    made.write("models/adder/model_version.txt", "1.0.0\n")
    made.write(".dvc/config", "[core]\n analytics = false\n remote = there\n['remote \"there\"']\n")
    with (made.root / ".dvc/config").open("a") as config:
        config.write(f" url = {tmp_path / 'remote'}\n")
    made.write(".dvc/.gitignore", "/tmp\n/cache\n")
    made.commit()
    made.push()
    subprocess.run(
        ["git", "config", "receive.advertisePushOptions", "true"], cwd=made.origin, check=True
    )
    return made


def _weights(tmp_path: Path) -> bytes:
    fixture_models.save_adder(tmp_path / "model.onnx")
    return (tmp_path / "model.onnx").read_bytes()


def test_weights_take_their_place_under_dvc_and_are_proposed_once(
    repository: History, tmp_path: Path
) -> None:
    weights = _weights(tmp_path)
    archive = _packed(tmp_path / FILE, {PLACE: weights})
    configured = settings.load(repository.root)
    received = receive_weights(configured, archive, "adder", "1.1.0")
    assert received.files == (repository.root / "models/adder" / PLACE,)
    folder = repository.root / "models/adder"
    assert (folder / "model_version.txt").read_text() == "1.1.0\n"
    assert (folder / f"{PLACE}.dvc").is_file() and (folder / f"{PLACE}.signature.json").is_file()
    uploaded = [path for path in (tmp_path / "remote").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in uploaded] == [weights]
    branch = "research/adder-1.1.0"
    commit = propose(repository.root, branch, "adder 1.1.0", {})
    assert commit == repository.git("ls-remote", "origin", branch).split()[0]
    changed = repository.git("show", "--name-only", "--format=", str(commit)).splitlines()
    assert f"models/adder/{PLACE}.dvc" in changed and f"models/adder/{PLACE}" not in changed
    # the job again, in a checkout of its own
    repository.git("reset", "--quiet", "--hard", "origin/main")
    repository.git("clean", "-ffdxq")
    receive_weights(configured, archive, "adder", "1.1.0")
    assert propose(repository.root, branch, "adder 1.1.0", {}) is None
    assert repository.git("ls-remote", "origin", branch).split()[0] == commit


def test_a_branch_that_holds_something_else_is_not_overwritten(
    repository: History, tmp_path: Path
) -> None:
    repository.git("checkout", "--quiet", "-b", "research/adder-1.1.0")
    repository.write("models/adder/notes.txt", "a person's\n")
    theirs = repository.commit()
    repository.push()
    repository.git("checkout", "--quiet", "main")
    repository.write("models/adder/notes.txt", "a job's\n")
    with pytest.raises(SlipwayError, match="pushing research/adder-1.1.0") as caught:
        propose(repository.root, "research/adder-1.1.0", "adder 1.1.0", {})
    assert "delete the branch" in str(caught.value.fix)
    assert repository.git("ls-remote", "origin", "research/adder-1.1.0").split()[0] == theirs


@pytest.mark.parametrize(
    "path",
    [
        "adder/config.pbtxt",
        "adder/1/model.py",
        "adder/1/.hidden.onnx",
        "other/1/model.onnx",
        "adder/model.onnx",
        "adder/1/deeper/model.onnx",
        "BUILD",
        "../one/one/1/model.onnx",
    ],
)
def test_what_are_no_weights_of_the_model_is_refused_and_changes_nothing(
    repository: History, tmp_path: Path, path: str
) -> None:
    archive = _packed(tmp_path / FILE, {PLACE: _weights(tmp_path), path: b"x"})
    with pytest.raises(SlipwayError) as caught:
        receive_weights(settings.load(repository.root), archive, "adder", "1.1.0")
    assert caught.value.fix
    assert repository.git("status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("name", "version"),
    [("adder", "0.9.0"), ("adder", "one"), ("nobody", "1.1.0"), ("../one", "1.1.0"), ("", "1.1.0")],
)
def test_a_wrong_name_or_version_is_refused(
    repository: History, tmp_path: Path, name: str, version: str
) -> None:
    archive = _packed(tmp_path / FILE, {PLACE: _weights(tmp_path)})
    with pytest.raises(SlipwayError) as caught:
        receive_weights(settings.load(repository.root), archive, name, version)
    assert caught.value.fix
    assert repository.git("status", "--porcelain") == ""


def test_an_archive_that_unpacks_to_more_than_allowed_is_refused(
    repository: History, tmp_path: Path
) -> None:
    archive = _packed(tmp_path / FILE, {PLACE: bytes(3_000_000)})
    assert archive.stat().st_size < 10_000
    with pytest.raises(SlipwayError, match="1,000,000"):
        receive_weights(
            settings.load(repository.root), archive, "adder", "1.1.0", max_bytes=1_000_000
        )
