"""Many who publish at once: exactly one wins, the others learn who, and no swap is lost."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import boto3
import pytest
from mypy_boto3_s3 import S3Client

from slipway.artifact.artifact import Artifact
from slipway.catalog.origin import Origin
from slipway.errors import SlipwayError
from slipway.release.metadata import ReleaseMetadata
from slipway.release.publish import publish
from slipway.store.interface import Store
from slipway.store.stage import StageStore
from tests import thorough
from tests.artifact.samples import packed, write_environment, write_model
from tests.store.conftest import PART, SEAWEED_PART, BucketStorage, File, FolderStorage, Storage
from tests.store.faulty import FaultyS3

ROUNDS = 40
# S3 decides a race in one step of its own; who comes first is chance, and each round costs requests
BUCKET_ROUNDS = thorough.examples(ROUNDS, 10)
# SeaweedFS lets those who were late wait for a second
SEAWEED_ROUNDS = thorough.examples(5, 4)
PUBLISHED_ROUNDS = thorough.examples(10, 4)
RACERS = 4


def race(racers: Sequence[Callable[[], bool]]) -> list[bool]:
    """What each answers when all start at once."""
    start = threading.Barrier(len(racers))

    def run(racer: Callable[[], bool]) -> bool:
        start.wait()
        return racer()

    with ThreadPoolExecutor(len(racers)) as pool:
        return list(pool.map(run, racers))


def rounds(storage: Storage) -> int:
    """How many races a test has."""
    if storage.part == SEAWEED_PART:
        return SEAWEED_ROUNDS
    return ROUNDS if isinstance(storage, FolderStorage) else BUCKET_ROUNDS


@pytest.fixture(params=["folder", "bucket", "bucket with conflicts", "seaweed_bucket"])
def contended(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A store of each kind, and an S3 that answers by a conflict as often as not."""
    if request.param == "folder":
        return FolderStorage(tmp_path / "store")
    made: BucketStorage = request.getfixturevalue(request.param.partition(" ")[0])
    if request.param == "bucket with conflicts":
        request.getfixturevalue("s3").conflicts = 0.5
    return made


def test_of_those_who_create_small_keys_exactly_one_wins(contended: Storage) -> None:
    stores = [contended.another() for _ in range(RACERS)]
    for number in range(rounds(contended)):
        key, data = f"key-{number}", [os.urandom(100) for _ in stores]
        won = race([partial(s.create, key, d) for s, d in zip(stores, data, strict=True)])
        assert sum(won) == 1
        assert contended.store.read(key) == data[won.index(True)]


@pytest.mark.parametrize("size", [PART // 2, 3 * PART + 1])
def test_of_those_who_publish_files_exactly_one_wins(
    contended: Storage, tmp_path: Path, size: int
) -> None:
    stores = [contended.another() for _ in range(RACERS)]
    files = [File(tmp_path / str(number), size) for number in range(RACERS)]
    for number in range(rounds(contended) // 2):
        key = f"key-{number}"
        won = race(
            [
                partial(s.create_file, key, f.path, f.sha256)
                for s, f in zip(stores, files, strict=True)
            ]
        )
        assert sum(won) == 1
        winner = files[won.index(True)]
        assert contended.store.read(key) == winner.data
        assert contended.store.digest(key) == winner.sha256
    assert contended.leftovers() == []


def test_of_those_who_publish_the_same_bytes_exactly_one_is_told_that_it_did(
    contended: Storage, tmp_path: Path
) -> None:
    stores = [contended.another() for _ in range(RACERS)]
    file = File(tmp_path / "file", 3 * PART + 1)
    for number in range(rounds(contended) // 2):
        key = f"key-{number}"
        assert sum(race([partial(s.create_file, key, file.path, file.sha256) for s in stores])) == 1
        assert contended.store.digest(key) == file.sha256
    assert contended.leftovers() == []


def test_of_a_copy_and_an_upload_exactly_one_wins(contended: Storage, tmp_path: Path) -> None:
    if contended.part == SEAWEED_PART:
        pytest.skip(
            "SeaweedFS 4.48 checks CompleteMultipartUpload's condition and writes in two steps:"
            " a claim protects a release (tests/release/test_way_of_a_release.py)"
        )
    promoted, other = (File(tmp_path / name, 3 * PART + 1) for name in ("promoted", "other"))
    source = contended.another()
    source.create_file("from", promoted.path, promoted.sha256)
    there = contended.elsewhere()
    for number in range(rounds(contended) // 2):
        key = f"key-{number}"
        won = race(
            [
                partial(there.copy, source, "from", key, promoted.sha256),
                partial(there.create_file, key, other.path, other.sha256),
                partial(there.copy, source, "from", key, promoted.sha256),
            ]
        )
        assert sum(won) == 1
        assert there.digest(key) == (other.sha256 if won[1] else promoted.sha256)


def test_of_those_who_remove_a_key_exactly_one_is_told_that_it_did(contended: Storage) -> None:
    stores = [contended.another() for _ in range(RACERS)]
    for _ in range(rounds(contended)):
        contended.store.create("key", b"")
        assert sum(race([partial(s.delete, "key") for s in stores])) == 1
        assert contended.store.stat("key") is None


def add_ten(store: Store) -> bool:
    """Add ten to the counter, one by one."""
    for _ in range(10):
        while True:
            before = store.read("counter")
            if store.swap("counter", before, str(int(before or 0) + 1).encode()):
                break
    return True


def test_a_counter_misses_no_increment(contended: Storage) -> None:
    race([partial(add_ten, contended.another()) for _ in range(RACERS)])
    assert contended.store.read("counter") == str(10 * RACERS).encode()


def test_a_counter_misses_no_increment_though_every_fourth_answer_is_lost(
    bucket: BucketStorage, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "15")  # some may be unlucky for long
    client: S3Client = boto3.client("s3")
    fault = s3.fail("cut answer", "PutObject", every=4, times=1000)
    race([partial(add_ten, bucket.another(client)) for _ in range(RACERS)])
    assert bucket.store.read("counter") == str(10 * RACERS).encode()
    assert fault.times <= 1000 - 10


def test_a_swap_that_creates_never_writes_over_one_who_created(contended: Storage) -> None:
    one, two = contended.another(), contended.another()
    for number in range(rounds(contended)):
        key = f"key-{number}"
        won = race([partial(one.create, key, b"created"), partial(two.swap, key, None, b"swapped")])
        assert sum(won) == 1
        assert contended.store.read(key) == (b"created" if won[0] else b"swapped")


def test_who_creates_removes_and_swaps_at_once_agrees_with_some_order(contended: Storage) -> None:
    """After a create that said it won, the key is gone only if somebody said that he removed it,
    and has another value only if somebody said that he swapped."""
    one, two, three = (contended.another() for _ in range(3))
    for number in range(rounds(contended)):
        key = f"key-{number}"
        created, removed, swapped = race(
            [
                partial(one.create, key, b"created"),
                partial(two.delete, key),
                partial(three.swap, key, b"created", b"swapped"),
            ]
        )
        assert created
        value = contended.store.read(key)
        assert (value is None) == removed
        assert removed or value == (b"swapped" if swapped else b"created")


RACER = """
import sys
from pathlib import Path
from slipway.settings import Settings
from slipway.store.open import open_stage
location, *files = sys.argv[1:]
store = open_stage(Settings(Path("/"), store=location), "staging").store
store.stat("warm")
print("ready", flush=True)
sys.stdin.readline()
for number, file in enumerate(files):
    path, sha256 = file.split("=")
    print(int(store.create_file(f"key-{number}", Path(path), sha256)), flush=True)
"""


def test_of_many_processes_exactly_one_wins_each_key(storage: Storage, tmp_path: Path) -> None:
    keys, racers = 20, 3
    files = [
        [
            File(tmp_path / f"{racer}-{key}", random.Random(key).randrange(1, PART))
            for key in range(keys)
        ]
        for racer in range(racers)
    ]
    processes = [
        subprocess.Popen(
            [
                sys.executable,
                "-c",
                RACER,
                storage.location,
                *(f"{f.path}={f.sha256}" for f in mine),
            ],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for mine in files
    ]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    won = [process.communicate()[0].split() for process in processes]
    for key in range(keys):
        answers = [answer[key] for answer in won]
        assert sorted(answers) == ["0"] * (racers - 1) + ["1"]
        winner = files[answers.index("1")][key]
        assert storage.store.digest(f"key-{key}") == winner.sha256
        data = storage.store.read(f"key-{key}")
        assert data is not None and hashlib.sha256(data).hexdigest() == winner.sha256


@pytest.fixture(scope="module", params=["small", "in parts"])
def artifacts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[Artifact]:
    """Two of one name and release version, with other bytes."""
    folder = tmp_path_factory.mktemp("artifacts")
    size = 10 if request.param == "small" else SEAWEED_PART
    return [
        packed(
            write_model(folder / str(number), weights=random.Random(number).randbytes(size)),
            write_environment(folder / f"environment-{number}"),
        )
        for number in range(2)
    ]


def test_of_two_who_publish_one_version_one_wins_and_the_other_learns_who(
    storage: Storage, artifacts: list[Artifact]
) -> None:
    origins = [
        Origin(f"{number}" * 40, f"https://ci.example/pipelines/{number}", f"dev{number}")
        for number in range(2)
    ]
    for _ in range(PUBLISHED_ROUNDS if artifacts[0].size < SEAWEED_PART else 3):
        store = storage.another()
        errors: dict[int, SlipwayError] = {}

        def publish_one(number: int, errors: dict[int, SlipwayError] = errors) -> bool:
            try:
                return publish(
                    artifacts[number],
                    StageStore(storage.another(), "production"),
                    metadata=ReleaseMetadata(origins[number]),
                ).created
            except SlipwayError as error:
                errors[number] = error
                return False

        won = race([partial(publish_one, 0), partial(publish_one, 1)])
        assert sum(won) == 1
        winner, loser = won.index(True), won.index(False)
        assert store.digest("production/models/tiny_1.2.0.tar.gz") == artifacts[winner].sha256
        what = errors[loser].what
        assert artifacts[winner].sha256 in what
        for word in (f"commit {winner}{winner}", f"by dev{winner}", f"pipelines/{winner}"):
            assert word in what
        assert "1.2.1" in str(errors[loser].fix)
        for key in store.keys(""):
            store.delete(key)
