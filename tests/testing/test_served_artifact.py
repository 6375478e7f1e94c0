"""Servers that end by themselves while models are tested: real ones, ended by a model's process."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import slipway
from slipway.files import sha256_of
from slipway.release.evidence import junit
from slipway.server.client import ServerDiedError
from slipway.settings import Settings
from slipway.testing.served_artifact import ServedArtifact, ServedModel
from tests import fixture_models

# the words of Boost's exception, and the signal by which the server's process ends then
ENDS = """
        if b"end the server" in text and (left := open(LEFT).read()):
            open(LEFT, "w").write(left[1:])
            print("what():  boost::interprocess::lock_exception", flush=True)
            os.kill(os.getppid(), signal.SIGABRT)
            time.sleep(60)
"""
TESTS = """
def test_the_server_ends(model):
    answer = model({"TEXT": "end the server", "NUMBERS": 1.0})
    assert answer["TEXT_BACK"].item() == b"end the server"
"""
AT = '        if b"refuse me"'


def ending(folder: Path, times: int) -> Path:
    """Return an artifact of the identity model that ends its server ``times`` times."""
    (folder / "left").write_text("x" * times)
    model = fixture_models.copy("identity", folder)
    code = model / "identity_step" / "1" / "model.py"
    text = code.read_text(encoding="utf-8").replace(AT, f"{ENDS[1:]}{AT}")
    imports = f"import os\nimport signal\nimport time\n\nLEFT = {str(folder / 'left')!r}\n"
    code.write_text(text.replace("import annotations\n", f"import annotations\n{imports}"))
    return fixture_models.pack(model, folder / "ending.tar.gz")


def run(root: Path, artifact: Path) -> subprocess.CompletedProcess[str]:
    """Run the tests of the identity model, with a report."""
    shutil.copytree(fixture_models.MODELS / "identity", root / "models" / "identity")
    (root / "slipway.toml").touch()
    tests = root / "models" / "identity" / "tests"
    tests.mkdir()
    (tests / "test_identity.py").write_text(TESTS, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "slipway.testing.plugin", f"--rootdir={root}"]
    command += ["-p", "no:cacheprovider", f"--slipway-artifact={artifact}"]
    return subprocess.run(
        [*command, f"--junitxml={root}/report.xml", "models/identity"],
        cwd=root,
        env=os.environ
        | {
            "PYTHONPATH": str(Path(slipway.__file__).parent.parent),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_server_that_ends_once_is_started_again_and_the_report_counts_it(tmp_path: Path) -> None:
    artifact = ending(tmp_path, 1)
    done = run(tmp_path / "repository", artifact)
    assert done.returncode == 0, done.stdout
    assert "identity: Triton ended by signal 6 (SIGABRT) and was started again" in done.stdout
    result = junit.read_reports(
        [tmp_path / "repository/report.xml"], "identity", sha256_of(artifact)
    )
    assert result is not None and result.passed
    assert result.restarts == ("by signal 6 (SIGABRT)",)
    assert "Triton was started again 1 ×, it ended by signal 6 (SIGABRT)" in str(result)


def test_a_server_that_ends_again_fails_with_the_signal_its_last_lines_and_the_log(
    tmp_path: Path,
) -> None:
    root = tmp_path / "repository"
    done = run(root, ending(tmp_path, 2))
    assert done.returncode == 1
    assert "the Triton server ended by signal 6 (SIGABRT)\n" in done.stdout
    assert "  what():  boost::interprocess::lock_exception\n" in done.stdout
    assert "the server's log: .slipway/logs/identity.tar.gz.log" in done.stdout
    assert "lock_exception" in (root / ".slipway/logs/identity.tar.gz.log").read_text()
    assert "ConnectionRefusedError" not in done.stdout and "Traceback" not in done.stdout


def test_threads_that_notice_the_same_end_share_the_next_server(tmp_path: Path) -> None:
    artifact = ending(tmp_path, 1)
    request = {"TEXT": "end the server", "NUMBERS": 1.0}
    with ServedArtifact(
        Settings(root=tmp_path), tmp_path / "models" / "ending", artifact
    ) as served:
        model = ServedModel(served)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(model, [request] * 4))
        assert [answer["TEXT_BACK"].item() for answer in answers] == [b"end the server"] * 4
        assert served.ends == ["by signal 6 (SIGABRT)"]
        (tmp_path / "left").write_text("x")
        with pytest.raises(ServerDiedError, match="ended by signal 6"):
            model(request)
