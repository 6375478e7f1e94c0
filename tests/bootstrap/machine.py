"""A bare machine: an empty home, a PATH with system tools only, and a package index in a folder."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    ".pants.bootstrap",
    "build-support/launcher",
    "build-support/lockfiles",
    "ci/environment.sh",
)
PROGRAMS = ("ci/python", "ci/slipway", "pants", "slipway")
TOOLS = (
    *("bash", "cat", "chmod", "cp", "dirname", "env", "flock", "ln", "mkdir", "mktemp", "mv"),
    *("readlink", "rm", "sed", "sha256sum", "sh", "sleep", "tail", "touch"),
)
PYTHON = Path(os.path.realpath(sys.executable))  # the interpreter itself, not an environment's
FAKES = Path(__file__).with_name("fixtures")
TIMEOUT = 300.0  # seconds; a limit for a start that hangs, not a measure


@dataclass(frozen=True)
class Machine:
    """A checkout of the launchers, and a machine for them, in ``folder``."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        """Return the folder with ``pants`` and ``slipway``."""
        return self.folder / "checkout"

    @property
    def bin(self) -> Path:
        """Return the only folder of PATH."""
        return self.folder / "bin"

    @property
    def home(self) -> Path:
        """Return the home folder."""
        return self.folder / "home"

    @property
    def cache(self) -> Path:
        """Return what the launchers fill."""
        return self.home / ".cache" / "slipway"

    @property
    def index(self) -> Path:
        """Return the package index, as pip asks for it."""
        return self.folder / "simple"

    def environment(self) -> dict[str, str]:
        """Return every variable of a command."""
        return {
            "HOME": str(self.home),
            "PATH": str(self.bin),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": self.index.as_uri(),
            "FAKE_UV_LOG": str(self.folder / "uv.log"),
            "FAKE_PYTHON": str(PYTHON),
            "FAKE_PROGRAM": str(FAKES / "program"),
        } | self.variables

    def start(self, *command: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Start a command of the checkout in a process group of its own."""
        return subprocess.Popen(
            [str(self.bin / "bash"), *command],
            cwd=cwd or self.checkout,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the checkout."""
        process = self.start(*command, cwd=cwd)
        stdout, stderr = process.communicate(timeout=TIMEOUT)
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)

    def uv_calls(self, prefix: str = "") -> list[str]:
        """Return the arguments of each start of uv that begin with ``prefix``."""
        log = self.folder / "uv.log"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [line for line in lines if line.startswith(prefix)]

    def add_program(self, name: str, text: str) -> Path:
        """Write a script into the folder of PATH."""
        program = self.bin / name
        program.unlink(missing_ok=True)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        return program

    def add_python(self, minor: str, lacking: str = "") -> Path:
        """Add an interpreter that says of itself what the launchers ask."""
        script = f"""#!{self.bin}/bash
[[ $2 == -S ]] || exit 1  # it installs nothing
echo "{minor} $0"
echo "{lacking}"
"""
        return self.add_program(f"python{minor}", script)

    def install_uv(self) -> None:
        """Put uv where a start would install it, which takes pip most of a second."""
        lock = self.checkout / "build-support" / "lockfiles" / "uv.txt"
        folder = self.cache / "uv" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
        (folder / "bin").mkdir(parents=True)
        shutil.copy(FAKES / "uv", folder / "bin" / "uv")
        (folder / "complete").touch()

    def publish(self, name: str, version: str, files: dict[str, str]) -> None:
        """Put a wheel into the index, and its hash into the lockfile of the same name."""
        stem = f"{name}-{version}"
        page = self.index / name
        page.mkdir(parents=True, exist_ok=True)
        wheel = page / f"{stem}-py3-none-any.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        information = {f"{stem}.dist-info/METADATA": metadata, f"{stem}.dist-info/WHEEL": tags}
        record = ""
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in (files | information).items():
                member = zipfile.ZipInfo(path)
                member.external_attr = (0o100755 if "scripts/" in path else 0o100644) << 16
                archive.writestr(member, text)
                digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
                record += f"{path},sha256={digest.decode().rstrip('=')},{len(text.encode())}\n"
            archive.writestr(f"{stem}.dist-info/RECORD", record)
        (page / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>\n')
        self.pin(name, version, hashlib.sha256(wheel.read_bytes()).hexdigest())

    def pin(self, name: str, version: str, digest: str) -> None:
        """Write a lockfile of one package."""
        lock = self.checkout / "build-support" / "lockfiles" / f"{name}.txt"
        lock.write_text(f"{name}=={version} \\\n    --hash=sha256:{digest}\n", encoding="utf-8")


def create(folder: Path) -> Machine:
    """Return a machine with ``python3``, and an index that has uv."""
    machine = Machine(folder)
    for part in (machine.bin, machine.home, machine.checkout / "ci", machine.index):
        part.mkdir(parents=True)
    for name in TOOLS:
        program = shutil.which(name)
        assert program is not None, name
        (machine.bin / name).symlink_to(os.path.realpath(program))
    (machine.bin / "python3").symlink_to(PYTHON)
    for name in (*PARTS, *PROGRAMS):
        source, target = ROOT / name, machine.checkout / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    uv = (FAKES / "uv").read_text(encoding="utf-8")
    machine.publish("uv", "1.0", {"uv-1.0.data/scripts/uv": uv})
    return machine
