"""Small wheels, built by the tests, in a folder that serves as an index."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TIME = (1980, 1, 1, 0, 0, 0)  # equal wheels have equal hashes


@dataclass(frozen=True)
class Wheelhouse:
    """A folder of wheels that uv uses instead of an index."""

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
        dependencies = "".join(f"Requires-Dist: {name_required}\n" for name_required in requires)
        members[f"{info}/METADATA"] = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{dependencies}"
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
                wheel.writestr(zipfile.ZipInfo(member, TIME), data)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
                rows.append(f"{member},sha256={digest.decode()},{len(data)}\n")
            record = zipfile.ZipInfo(f"{info}/RECORD", TIME)
            wheel.writestr(record, "".join([*rows, f"{info}/RECORD,,\n"]))
        return path

    def numpy(self, version: str = "1.26.4") -> Path:
        """Add an empty package of this name: the refusals depend only on its version."""
        return self.add("numpy", version, {"numpy/__init__.py": f"__version__ = '{version}'\n"})

    def installed(self, name: str) -> Path:
        """Add the wheel of a package that is installed in the running environment."""
        package = importlib.metadata.distribution(name)
        tag = next(
            line.removeprefix("Tag: ")
            for line in (package.read_text("WHEEL") or "").splitlines()
            if line.startswith("Tag: ")
        )
        path = self.folder / f"{name}-{package.version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for file in package.files or ():
                # programs are outside site-packages; a wheel holds them in another form
                if file.parts[0] != ".." and "__pycache__" not in file.parts:
                    wheel.write(str(file.locate()), str(file))
        return path
