"""pip's settings reach uv and Pants, which do not read them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.bootstrap.machine import PYTHON, Machine

URL = "https://user:secret@packages.example/simple"
SHOW = (
    'root=$PWD program=test; source build-support/launcher/launcher.sh; "$FAKE_PYTHON" -c '
    "'import json, os; print(json.dumps(dict(os.environ)))'"
)


def exported(machine: Machine) -> dict[str, str]:
    """Return the variables that a started program gets."""
    done = machine.run("-euo", "pipefail", "-c", SHOW)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    variables: dict[str, str] = json.loads(done.stdout)
    return variables


@pytest.fixture
def unset(bare: Machine) -> Machine:
    """Return a machine whose pip has no settings."""
    bare.variables["PIP_INDEX_URL"] = ""
    return bare


def write(machine: Machine, text: str) -> None:
    """Write the file that PIP_CONFIG_FILE names."""
    file = machine.folder / "pip.conf"
    file.write_text(text, encoding="utf-8")
    machine.variables["PIP_CONFIG_FILE"] = str(file)


def test_without_settings_nothing_is_said_about_the_index(unset: Machine) -> None:
    names = [name for name in exported(unset) if name.startswith(("UV_", "PANTS_"))]
    assert names == []


def test_the_index_of_a_variable_is_uv_s_and_pants(unset: Machine) -> None:
    unset.variables["PIP_INDEX_URL"] = URL
    variables = exported(unset)
    assert variables["UV_DEFAULT_INDEX"] == URL
    assert variables["PANTS_PYTHON_REPOS_INDEXES"] == f"['{URL}']"


@pytest.mark.parametrize("place", [".config/pip/pip.conf", ".pip/pip.conf"])
def test_the_index_of_the_user_s_file_is_taken(unset: Machine, place: str) -> None:
    file = unset.home / place
    file.parent.mkdir(parents=True)
    file.write_text(f"[global]\nindex-url = {URL}\n", encoding="utf-8")
    unset.variables["PIP_CONFIG_FILE"] = ""
    assert exported(unset)["UV_DEFAULT_INDEX"] == URL


@pytest.mark.parametrize(
    "text",
    [
        f"[global]\nindex-url={URL}\n",
        f"[global]\nindex_url : {URL}",
        f"# a comment\n[global]\r\nindex-url = {URL}\r\n",
        f"[global]\nindex-url =\n    {URL}\n",
        f"[install]\nindex-url = {URL}\n[global]\nindex-url = https://other.example\n",
        f"[list]\nindex-url = https://other.example\n[global]\nindex-url = {URL}\nindex = x\n",
    ],
)
def test_a_file_is_read_as_pip_reads_it(unset: Machine, text: str) -> None:
    write(unset, text)
    assert exported(unset)["UV_DEFAULT_INDEX"] == URL
    if "[install]" in text:  # pip itself prints the sections apart
        return
    environment = unset.environment()
    command = [str(PYTHON), "-m", "pip", "config", "list"]
    pip = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "No module named pip" in pip.stderr:
        pytest.skip("the interpreter of this test has no pip to compare with")
    setting = next(line for line in pip.stdout.splitlines() if line.startswith("global.index-url="))
    assert URL in setting


def test_a_variable_wins_over_a_file(unset: Machine) -> None:
    write(unset, "[global]\nindex-url = https://other.example/simple\n")
    unset.variables["PIP_INDEX_URL"] = URL
    assert exported(unset)["UV_DEFAULT_INDEX"] == URL


def test_settings_of_uv_and_pants_are_not_replaced(unset: Machine) -> None:
    unset.variables.update(
        PIP_INDEX_URL="https://other.example/simple",
        UV_DEFAULT_INDEX=URL,
        PANTS_PYTHON_REPOS_INDEXES="[]",
    )
    variables = exported(unset)
    assert variables["UV_DEFAULT_INDEX"] == URL
    assert variables["PANTS_PYTHON_REPOS_INDEXES"] == "[]"


def test_folders_of_wheels_replace_the_index(unset: Machine) -> None:
    write(unset, "[global]\nno-index = true\nfind-links =\n  /wheels\n  /more\n")
    variables = exported(unset)
    assert variables["UV_NO_INDEX"] == "1" and variables["UV_FIND_LINKS"] == "/wheels,/more"
    assert variables["PANTS_PYTHON_REPOS_INDEXES"] == "[]"
    assert variables["PANTS_PYTHON_REPOS_FIND_LINKS"] == "['/wheels', '/more']"


def test_certificates_proxy_and_trusted_hosts_are_handed_on(unset: Machine) -> None:
    write(unset, "[global]\ncert = /ca.pem\nproxy = http://proxy:3128\ntrusted-host = a.example\n")
    variables = exported(unset)
    assert variables["SSL_CERT_FILE"] == variables["REQUESTS_CA_BUNDLE"] == "/ca.pem"
    assert variables["HTTPS_PROXY"] == "http://proxy:3128"
    assert variables["UV_INSECURE_HOST"] == "a.example"


def test_the_system_s_certificates_are_used_unless_others_are_named(unset: Machine) -> None:
    bundles = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
    system = next((bundle for bundle in bundles if Path(bundle).is_file()), None)
    if system is None:
        pytest.skip("this system has no bundle of certificates")
    assert exported(unset)["SSL_CERT_FILE"] == system
    unset.variables["SSL_CERT_FILE"] = "/other.pem"
    assert exported(unset)["SSL_CERT_FILE"] == "/other.pem"


def test_uv_is_installed_in_spite_of_settings_against_it(bare: Machine) -> None:
    bare.variables.update(PIP_USER="1", PIP_REQUIRE_VIRTUALENV="1", PIP_PREFIX="/nowhere")
    done = bare.run("slipway", "status")
    assert done.returncode == 0, done.stderr
