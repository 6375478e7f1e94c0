"""What an isolated program cannot do, on this kernel and on one without namespaces."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE

import pytest

from slipway.errors import SlipwayError
from slipway.formats.sandbox import run as sandbox
from slipway.formats.sandbox.run import Ended, Limits, run

REPOSITORY = Path(__file__).parents[3]

type Run = Callable[..., Ended]


@pytest.fixture(params=["here", "without namespaces"])
def isolated(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Return a function that runs Python code in isolation; its folder is ``work``."""
    if request.param != "here":
        monkeypatch.setattr(sandbox, "LAUNCHER", "tests.formats.sandbox.without_namespaces")
        monkeypatch.setattr(sandbox, "LIBRARY", f"{sandbox.LIBRARY}:{REPOSITORY}")
    work = tmp_path / "work"
    work.mkdir()

    def go(
        code: str, *arguments: object, limits: Limits | None = None, loopback: bool = False
    ) -> Ended:
        argv = [sys.executable, "-I", "-c", code, *map(str, arguments)]
        readable = [Path(sys.prefix), tmp_path / "readable"]
        return run(
            argv,
            what="trying",
            work=work,
            readable=readable,
            limits=limits,
            loopback=loopback,
        )

    return go


def test_what_it_prints_and_its_status_are_returned(isolated: Run) -> None:
    ended = isolated("import sys; print('out', flush=True); sys.exit('err')")
    assert (ended.status, ended.text) == (1, "out\nerr")


def test_a_program_that_aborts_has_the_status_of_its_signal(isolated: Run) -> None:
    assert isolated("import os; os.abort()").status in (134, -6)


def _skip_without_limits_of_files(isolated: Run) -> None:
    files = isolated("").isolation.files
    if files.startswith("none"):
        pytest.skip(files)


def test_it_works_in_its_own_folder_and_can_write_nowhere_else(
    isolated: Run, tmp_path: Path
) -> None:
    _skip_without_limits_of_files(isolated)
    (tmp_path / "readable").mkdir()
    code = """if True:
        import sys
        open("result", "w").write("written")
        for folder in sys.argv[1:]:
            try:
                open(folder + "/result", "w")
            except OSError:
                pass
    """
    folders = (tmp_path, tmp_path / "readable", Path.home(), Path("/usr"), Path("/"))
    assert isolated(code, *folders).status == 0
    assert not any((folder / "result").exists() for folder in folders)
    assert (tmp_path / "work" / "result").read_text() == "written"


def test_it_reads_what_it_is_given_and_no_other_file_of_the_user(
    isolated: Run, tmp_path: Path
) -> None:
    _skip_without_limits_of_files(isolated)
    (tmp_path / "readable").mkdir()
    for folder in (tmp_path, tmp_path / "readable"):
        (folder / "credentials").write_text("secret")
    code = """if True:
        import sys
        for path in sys.argv[1:]:
            try:
                print(open(path).read())
            except OSError as error:
                print(type(error).__name__)
    """
    ended = isolated(code, tmp_path / "readable/credentials", tmp_path / "credentials")
    read, refused = ended.text.splitlines()
    assert read == "secret"
    assert refused in ("FileNotFoundError", "PermissionError")


def test_it_reaches_no_service_of_this_machine(isolated: Run) -> None:
    code = """if True:
        import socket, sys
        try:
            socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
            print("connected")
        except OSError:
            print("refused")
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = isolated(code, server.getsockname()[1])
    assert not ended.isolation.network.startswith("none")
    assert ended.text == "refused"


def test_it_has_no_variable_of_the_user(isolated: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the key of production")
    ended = isolated("import os; print(sorted(os.environ.items()))")
    assert "HOME" in ended.text
    assert not any(text in ended.text for text in ("AWS", "production"))


def test_it_cannot_read_the_variables_of_another_process(isolated: Run) -> None:
    limits = isolated("").isolation
    if limits.processes.startswith("none"):
        _skip_without_limits_of_files(isolated)  # Landlock keeps them, where no namespace does
    secret = uuid.uuid4().hex  # processes of other tests have none like it
    code = """if True:
        import glob, sys
        for file in glob.glob("/proc/[0-9]*/environ"):
            try:
                print(sys.argv[1] in open(file).read())
            except OSError:
                pass
        print("tried")
    """
    variables = {"AWS_SECRET_ACCESS_KEY": secret}
    with subprocess.Popen(["cat"], stdin=PIPE, stdout=PIPE, bufsize=0, env=variables) as other:
        try:
            assert other.stdin is not None and other.stdout is not None
            other.stdin.write(b"started\n")
            assert other.stdout.readline() == b"started\n"
            assert secret in Path(f"/proc/{other.pid}/environ").read_text()
            text = isolated(code, secret).text
        finally:
            other.kill()
    assert "tried" in text and "True" not in text


def test_sockets_within_the_machine_work_for_a_framework_that_needs_them(isolated: Run) -> None:
    code = """if True:
        import socket
        server = socket.create_server(("127.0.0.1", 0))
        socket.create_connection(server.getsockname()).close()
        print("connected")
    """
    ended = isolated(code, loopback=True)
    assert ended.text == "connected"
    by_namespace = ended.isolation.network == "a network namespace"
    assert by_namespace or "the framework needs local sockets" in ended.isolation.network


def test_too_much_memory_of_all_processes_together_is_refused(isolated: Run) -> None:
    code = """if True:
        import os, time
        for child in range(4):
            if os.fork() == 0:
                break
        data = bytearray(60_000_000)
        for page in range(0, len(data), 4096):
            data[page] = 1
        time.sleep(60)
    """
    limits = Limits(seconds=50, memory=200_000_000)
    with pytest.raises(SlipwayError, match="took more than 200 MB of memory") as raised:
        isolated(code, limits=limits)
    assert raised.value.fix == "allow more, in megabytes: SLIPWAY_CONVERSION_MB=400"


@pytest.mark.parametrize("end", ["time.sleep(600)", "os._exit(0)"])
def test_nothing_that_it_has_started_outlives_it(isolated: Run, tmp_path: Path, end: str) -> None:
    mark = f"outlives {tmp_path}"
    code = f"""if True:
        import os, subprocess, sys, time
        wait = [sys.executable, "-c", "import time; time.sleep(600)", {mark!r}]
        subprocess.Popen(wait, start_new_session=True)
        time.sleep(0.2)
        {end}
    """
    try:
        isolated(code, limits=Limits(seconds=1))
    except SlipwayError as error:
        assert "took more than 1 s" in str(error)
    assert not any(mark in line for line in _command_lines())


def _command_lines() -> list[str]:
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return [line for line in lines if "without_namespaces" not in line and "sandbox" not in line]


def test_the_result_says_what_isolation_there_was(isolated: Run) -> None:
    isolation = isolated("").isolation
    texts = {isolation.network, isolation.files, isolation.processes}
    known = ("a network namespace", "a root of its own", "a namespace of processes")
    if isolation.processes.startswith("none"):
        assert isolation.processes.endswith("no namespaces here (Operation not permitted)")
        assert "a filter of system calls" in texts
        assert isolation.files == "Landlock" or "and no Landlock" in isolation.files
    else:
        assert texts == set(known)


def test_limits_come_from_the_users_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_CONVERSION_SECONDS", "5.5")
    monkeypatch.setenv("SLIPWAY_CONVERSION_MB", "300")
    assert Limits.of_environment() == Limits(5.5, 300_000_000)

    monkeypatch.setenv("SLIPWAY_CONVERSION_MB", "much")
    with pytest.raises(SlipwayError, match="are numbers"):
        Limits.of_environment()


def test_a_link_of_the_user_leads_nowhere_else(isolated: Run, tmp_path: Path) -> None:
    _skip_without_limits_of_files(isolated)
    (tmp_path / "readable").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "readable" / "link").symlink_to(tmp_path / "secret")
    ended = isolated("import sys; open(sys.argv[1])", tmp_path / "readable" / "link")
    assert ended.status == 1
    assert os.listdir(tmp_path / "readable") == ["link"]
