"""Small wheels made on the spot, an index that is a folder, and a cache for the whole session."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from slipway.settings import Settings


@dataclass(frozen=True)
class Wheelhouse:
    """A folder of wheels that uv uses in the place of an index."""

    folder: Path

    def add(
        self,
        name: str,
        version: str = "1.0",
        files: Mapping[str, str | bytes] | None = None,
        *,
        requires: tuple[str, ...] = (),
        tag: str = "py3-none-any",
        scripts: Mapping[str, str] | None = None,
    ) -> Path:
        info = f"{name}-{version}.dist-info"
        members: dict[str, str | bytes] = dict(files or {f"{name}/__init__.py": ""})
        wanted = "".join(f"Requires-Dist: {one}\n" for one in requires)
        members[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{wanted}"
        )
        members[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n"
        if scripts:
            lines = [f"{script} = {entry}" for script, entry in scripts.items()]
            members[f"{info}/entry_points.txt"] = "\n".join(["[console_scripts]", *lines, ""])
        rows = []
        path = self.folder / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for member, content in members.items():
                data = content.encode() if isinstance(content, str) else content
                wheel.writestr(member, data)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                rows.append(f"{member},sha256={digest.decode()},{len(data)}\n")
            wheel.writestr(f"{info}/RECORD", "".join([*rows, f"{info}/RECORD,,\n"]))
        return path

    def numpy(self, version: str = "1.26.4") -> Path:
        """A package that only bears the name: what is refused depends on no more."""
        return self.add("numpy", version, {"numpy/__init__.py": f"__version__ = '{version}'\n"})

    def installed(self, name: str) -> Path:
        """The wheel again of a package that this very environment was installed from."""
        package = importlib.metadata.distribution(name)
        tag = next(
            line.removeprefix("Tag: ")
            for line in (package.read_text("WHEEL") or "").splitlines()
            if line.startswith("Tag: ")
        )
        path = self.folder / f"{name}-{package.version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for file in package.files or ():
                # programs lie outside site-packages; a wheel holds them in another way
                if file.parts[0] != ".." and "__pycache__" not in file.parts:
                    wheel.write(str(file.locate()), str(file))
        return path


@pytest.fixture
def wheelhouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheelhouse:
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return Wheelhouse(folder)


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What is equal for all tests here, the local channel above all, is made once."""
    folder = tmp_path_factory.mktemp("slipway-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLIPWAY_CACHE", str(folder))
        yield folder


@pytest.fixture
def settings(tmp_path: Path, session_cache: Path) -> Settings:
    """A repository without channels: the machine's own CPython serves."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "slipway.toml").write_text("")
    return Settings(root=root)


Project = Callable[..., Path]


@pytest.fixture
def requirements(settings: Settings) -> Project:
    """Writes the ``requirements.txt`` of a model and returns its path."""

    def write(*lines: str, model: str = "model") -> Path:
        folder = settings.root / "models" / model
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "requirements.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return write
