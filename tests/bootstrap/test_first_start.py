"""The first start on a bare machine: uv from the index, interpreters through uv, or one message."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bootstrap.machine import PYTHON, Machine

DOWNLOADED = ".local/share/uv/python/cpython-{0}.0-linux/bin/python{0}"
# starts Python, but without pip and ensurepip, as Debian's package `python3`
WITHOUT_PIP = """#!/usr/bin/env bash
case "$*" in
  *"import pip"* | *"-m pip"* | *ensurepip*) exit 1 ;;
esac
exec {python} "$@"
"""
# unpacks what the index has into the folder behind --target
PIP = """
import os, pathlib, sys, urllib.request, zipfile
target = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
page = pathlib.Path(urllib.request.url2pathname(os.environ["PIP_INDEX_URL"][7:]), "uv")
with zipfile.ZipFile(next(page.glob("*.whl"))) as wheel:
    (target / "bin").mkdir()
    (target / "bin" / "uv").write_bytes(wheel.read("uv-1.0.data/scripts/uv"))
(target / "bin" / "uv").chmod(0o755)
"""
runs_on_312 = pytest.mark.skipif(
    not PYTHON.name.startswith("python3.12"), reason="these tests do not run on Python 3.12"
)


def test_pants_gets_uv_and_both_interpreters_by_itself(bare: Machine) -> None:
    done = bare.run("pants", "list", "::")
    assert done.returncode == 0, done.stderr
    assert bare.uv_calls("python install") == ["python install 3.9 3.12"]
    python312 = (bare.home / DOWNLOADED.format("3.12")).resolve()
    python39 = bare.home / DOWNLOADED.format("3.9")
    assert f"interpreters ['{python312.parent}', '{python39.parent}']" in done.stdout
    assert done.stdout.startswith("argument list\nargument ::\n")
    assert "error" not in done.stderr


def test_slipway_gets_uv_and_python_3_12_by_itself(bare: Machine) -> None:
    done = bare.run("slipway", "status", "--json")
    assert done.returncode == 0, done.stderr
    assert bare.uv_calls("python install") == ["python install 3.12"]
    assert "argument -m\nargument slipway\nargument status\nargument --json\n" in done.stdout
    assert f"library {bare.checkout}/build-support\n" in done.stdout


def test_nothing_is_written_outside_of_the_cache_and_the_interpreters_folder(bare: Machine) -> None:
    assert bare.run("slipway").returncode == 0
    below = {path.relative_to(bare.home).as_posix() for path in bare.home.glob("*/*")}
    assert below == {".cache/slipway", ".local/share"}
    assert {path.name for path in bare.cache.iterdir()} == {"library", "uv"}


def test_one_message_names_all_that_is_missing_and_each_way_to_get_it(with_uv: Machine) -> None:
    with_uv.variables["FAKE_UV_UNREACHABLE"] = "yes"
    done = with_uv.run("pants", "publish", "models/::")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.count("error: ./pants") == 1 and done.stderr.count("fix:") == 1
    for part in (
        "Python 3.9, for Pants: not on PATH, not among the versions of pyenv",
        "Python 3.12, for Slipway and the models' environments: not on PATH",
        "failed to lookup address information",
        "apt-get install python3.9 python3.12 python3.12-venv libpython3.12",
        "pyenv install 3.9",
        "PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install 3.12",
        "uv python install 3.9 3.12",
        "UV_PYTHON_INSTALL_MIRROR",
        "SSL_CERT_FILE",
        "HTTPS_PROXY",
        "docs/installation.md",
    ):
        assert part in done.stderr, part
    assert not list(with_uv.cache.glob("pants/*"))


def test_slipway_names_what_pants_lacks_as_well(with_uv: Machine) -> None:
    with_uv.variables["FAKE_UV_UNREACHABLE"] = "yes"
    done = with_uv.run("slipway", "status")
    assert done.returncode == 1
    assert "Python 3.12, for" in done.stderr and "Python 3.9, for Pants" in done.stderr


def test_the_message_shows_no_credentials(with_uv: Machine) -> None:
    with_uv.variables["FAKE_UV_UNREACHABLE"] = "yes"
    done = with_uv.run("slipway", "status")
    assert "https://****@mirror.example/python.tar.gz" in done.stderr
    assert "secret" not in done.stderr


def test_an_interpreter_that_lacks_its_shared_library_is_named(with_uv: Machine) -> None:
    program = with_uv.add_python("3.12", "shared library libpython3.12.so.1.0")
    with_uv.variables["FAKE_UV_UNREACHABLE"] = "yes"
    done = with_uv.run("slipway", "status")
    assert f"{program} lacks the shared library libpython3.12.so.1.0" in done.stderr


def test_an_interpreter_that_does_not_run_is_named(with_uv: Machine) -> None:
    program = with_uv.add_program("python3.9", "#!/usr/bin/env bash\nexit 127\n")
    with_uv.variables["FAKE_UV_UNREACHABLE"] = "yes"
    assert f"{program} does not run" in with_uv.run("pants", "list").stderr


def test_interpreters_on_path_are_taken_and_nothing_is_downloaded(with_uv: Machine) -> None:
    programs = [with_uv.add_python("3.12"), with_uv.add_python("3.9")]
    done = with_uv.run("pants", "list")
    assert done.returncode == 0, done.stderr
    assert with_uv.uv_calls("python install") == []
    assert f"interpreters ['{programs[0].parent}', '{programs[1].parent}']" in done.stdout


@pytest.mark.parametrize("of_shims", [False, True])
def test_versions_of_pyenv_are_taken(with_uv: Machine, of_shims: bool) -> None:
    pyenv = with_uv.folder / "pyenv"
    for minor in ("3.12", "3.9"):
        folder = pyenv / "versions" / f"{minor}.7" / "bin"
        folder.mkdir(parents=True)
        with_uv.add_python(minor).rename(folder / f"python{minor}")
    if of_shims:  # what a sandbox with an empty home sees
        (pyenv / "shims").mkdir()
        with_uv.variables["PATH"] = f"{pyenv}/shims:{with_uv.bin}"
    else:
        with_uv.variables["PYENV_ROOT"] = str(pyenv)
    done = with_uv.run("pants", "list")
    assert done.returncode == 0, done.stderr
    assert f"'{pyenv}/versions/3.12.7/bin'" in done.stdout
    assert with_uv.uv_calls("python install") == []


def test_without_python3_the_message_says_so(bare: Machine) -> None:
    (bare.bin / "python3").unlink()
    done = bare.run("slipway", "status")
    assert done.returncode == 1
    assert "there is no python3 of version 3.8 or later to install it with" in done.stderr
    assert "apt-get install python3 python3-pip" in done.stderr


def test_without_python3_a_uv_of_the_user_does(bare: Machine) -> None:
    (bare.bin / "python3").unlink()
    fake = Path(__file__).with_name("fixtures") / "uv"
    bare.add_program("uv", fake.read_text(encoding="utf-8"))
    done = bare.run("slipway", "status")
    assert done.returncode == 0, done.stderr
    assert bare.uv_calls("python install") == ["python install 3.12"]


def test_a_python3_of_2019_installs_uv(bare: Machine) -> None:
    python38 = _find_python38()
    if python38 is None:
        pytest.skip("no Python 3.8 on this machine")
    (bare.bin / "python3").unlink()
    (bare.bin / "python3").symlink_to(python38)
    done = bare.run("slipway", "status")
    assert done.returncode == 0, done.stderr


def test_a_python3_of_another_age_is_refused(bare: Machine) -> None:
    bare.add_program("python3", "#!/usr/bin/env bash\nexit 1\n")
    assert "there is no python3 of version 3.8" in bare.run("slipway", "status").stderr


def test_a_python3_without_pip_downloads_pip_from_the_configured_index(bare: Machine) -> None:
    bare.add_program("python3", WITHOUT_PIP.format(python=PYTHON))
    bare.publish("pip", "1.0", {"pip/__main__.py": PIP})
    done = bare.run("slipway", "status")
    assert done.returncode == 0, done.stderr
    assert bare.uv_calls("python install") == ["python install 3.12"]


def test_a_pip_that_is_not_the_pinned_file_never_runs(bare: Machine) -> None:
    bare.add_program("python3", WITHOUT_PIP.format(python=PYTHON))
    bare.publish("pip", "1.0", {"pip/__main__.py": PIP})
    bare.pin("pip", "1.0", "0" * 64)
    done = bare.run("slipway", "status")
    assert done.returncode == 1
    assert "pip-1.0-py3-none-any.whl is not the file that pip.txt pins" in done.stderr
    assert bare.uv_calls() == []


def test_a_python3_without_pip_and_without_an_index_is_named(bare: Machine) -> None:
    bare.add_program("python3", WITHOUT_PIP.format(python=PYTHON))
    bare.variables["PIP_INDEX_URL"] = ""
    done = bare.run("slipway", "status")
    assert "has neither pip nor ensurepip, and no package index is configured" in done.stderr
    assert "PIP_INDEX_URL=URL" in done.stderr


def test_a_uv_that_is_not_the_pinned_file_never_runs(bare: Machine) -> None:
    bare.pin("uv", "1.0", "0" * 64)
    done = bare.run("slipway", "status")
    assert done.returncode == 1
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert bare.uv_calls() == []


def test_an_index_without_uv_is_reported_once(bare: Machine) -> None:
    shutil.rmtree(bare.index / "uv")
    bare.add_python("3.12")
    done = bare.run("slipway", "status")
    assert done.returncode == 1
    assert "uv, which installs Python and packages, could not be installed:" in done.stderr
    assert "No matching distribution found for uv==1.0" in done.stderr
    assert "Python 3.12, for" not in done.stderr


def test_packages_that_the_system_does_not_offer_are_told_apart(with_uv: Machine) -> None:
    with_uv.add_program("apt-cache", "#!/usr/bin/env bash\n[[ $2 != python3.9 ]]\n")
    with_uv.variables["FAKE_UV_UNREACHABLE"] = "yes"
    done = with_uv.run("pants", "list")
    assert "apt-get install python3.12 python3.12-venv libpython3.12\n" in done.stderr
    assert "not in this machine's package lists: python3.9\n" in done.stderr


def test_a_python3_without_pip_uses_the_one_that_ensurepip_holds(bare: Machine) -> None:
    script = WITHOUT_PIP.replace(" | *ensurepip*", "")
    bare.add_program("python3", script.format(python=PYTHON))
    done = bare.run("slipway", "status")
    assert done.returncode == 0, done.stderr


@runs_on_312
def test_the_interpreter_that_runs_this_test_is_complete(with_uv: Machine) -> None:
    (with_uv.bin / "python3.12").symlink_to(PYTHON)
    assert with_uv.run("slipway", "status").returncode == 0
    assert with_uv.uv_calls("python install") == []


def _find_python38() -> Path | None:
    places = [Path(shutil.which("python3.8") or "/nowhere")]
    for pyenv in {
        Path.home() / ".pyenv",
        *(p.parent for p in PYTHON.parents if p.name == "versions"),
    }:
        places += sorted(pyenv.glob("versions/3.8.*/bin/python3.8"))
    for place in places:
        if place.is_file() and "shims" not in place.parts:
            answer = subprocess.run(
                [place, "-m", "pip", "--version"], capture_output=True, check=False
            )
            if answer.returncode == 0:
                return place.resolve()
    return None
