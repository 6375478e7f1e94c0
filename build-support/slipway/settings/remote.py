"""``[pipeline]`` of ``slipway.toml``: where Pants shares what was built, and where steps run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.errors import SlipwayError
from slipway.settings.tables import unknown

CACHE, EXECUTION = "remote-cache", "remote-execution"
INSTANCE, AUTHORITY, TOKEN = "remote-cache-instance", "remote-cache-ca", "remote-cache-token"
# each key, and the environment variable that overrides it
VARIABLES = {
    CACHE: "SLIPWAY_REMOTE_CACHE",
    EXECUTION: "SLIPWAY_REMOTE_EXECUTION",
    INSTANCE: "SLIPWAY_REMOTE_CACHE_INSTANCE",
    AUTHORITY: "SLIPWAY_REMOTE_CACHE_CA",
    TOKEN: "SLIPWAY_REMOTE_CACHE_TOKEN",
}
WRITE_TOKEN = "SLIPWAY_REMOTE_CACHE_WRITE_TOKEN"  # in the environment alone: it is for few
OFF, NO_TOKEN = "off", "none"
EXAMPLES = {
    CACHE: "grpcs://cache.example:443",
    EXECUTION: "grpcs://workers.example:443",
    INSTANCE: "slipway",
    AUTHORITY: "ci/cache-ca.pem",
    TOKEN: "~/.config/slipway/cache-token",
}
ADDRESS = re.compile(r"(?P<scheme>grpcs?)://(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


@dataclass(frozen=True)
class Address:
    """A server of the Remote Execution API; ``grpcs`` is encrypted."""

    url: str

    @property
    def encrypted(self) -> bool:
        """Return whether the server is reached by TLS."""
        return self.url.startswith("grpcs:")

    @property
    def target(self) -> str:
        """Return ``host:port``."""
        return self.url.partition("//")[2]

    @property
    def host(self) -> str:
        """Return the host, an IPv6 address without its brackets."""
        return self.target.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self.target.rpartition(":")[2])

    @property
    def local(self) -> bool:
        """Return whether the server is on this machine."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


@dataclass(frozen=True)
class RemoteSettings:
    """The remote cache and the remote execution of Pants' steps; without addresses there is none.

    ``authority`` is a PEM file of the certificates that the server's is checked with; without, the
    system's are. ``token`` and ``write_token`` are files: the first may read, the second is for
    those alone whose results everyone may use. With ``writes`` results are written.
    """

    cache: Address | None = None
    execution: Address | None = None
    instance: str | None = None
    authority: Path | None = None
    token: Path | None = None
    write_token: Path | None = None
    writes: bool = False

    @property
    def chosen_token(self) -> Path | None:
        """Return the file of the token that requests carry."""
        return self.write_token if self.writes and self.write_token else self.token

    @property
    def token_setting(self) -> str:
        """Return where the file of that token is named."""
        if self.writes and self.write_token:
            return WRITE_TOKEN
        return f"{TOKEN} in [pipeline], or {VARIABLES[TOKEN]}"

    def verify(self) -> None:
        """Check that the files exist, and that no token leaves this machine in plain text.

        Raises:
            SlipwayError: they do not, or one would. The message has no token, even where one was
                given in place of its file.
        """
        files = {AUTHORITY: self.authority, TOKEN: self.token, WRITE_TOKEN: self.write_token}
        for key, file in files.items():
            if file is not None and not _is_file(file):
                variable = VARIABLES.get(key, key)
                table = "" if key == WRITE_TOKEN else "[pipeline] of slipway.toml, or "
                raise SlipwayError(
                    f"{key} does not name a file",
                    where=f"{table}{variable}",
                    fix=f"write it into a file and name that; in GitLab, {variable} has the type"
                    " File",
                )
        for server in (self.cache, self.execution):
            if self.chosen_token and server and not (server.encrypted or server.local):
                raise SlipwayError(
                    f"a token would be sent to {server.url} without encryption",
                    where="[pipeline] of slipway.toml",
                    fix=f"grpcs://{server.target}, or no token",
                )


def parse(path: Path, values: Mapping[str, Any]) -> RemoteSettings:
    """Return the settings of ``[pipeline]``, with what the environment says instead.

    Raises:
        SlipwayError: a key is unknown, or an address is none.
    """
    if not set(values) <= set(VARIABLES):
        raise unknown(path, f"pipeline.{min(set(values) - set(VARIABLES))}", VARIABLES)
    chosen = {key: _chosen(path, key, values) for key in VARIABLES}
    cache = None if chosen[CACHE] in (None, OFF) else _address(path, CACHE, str(chosen[CACHE]))
    if cache is None:
        return RemoteSettings()
    execution = chosen[EXECUTION]
    write_token = os.environ.get(WRITE_TOKEN) or None
    return RemoteSettings(
        cache=cache,
        execution=None if execution in (None, OFF) else _address(path, EXECUTION, str(execution)),
        instance=chosen[INSTANCE],
        authority=_file(path, chosen[AUTHORITY]),
        token=_file(path, chosen[TOKEN]),
        write_token=None if write_token == NO_TOKEN else _file(path, write_token),
        writes=write_token is not None,
    )


def _chosen(path: Path, key: str, values: Mapping[str, Any]) -> str | None:
    value = os.environ.get(VARIABLES[key]) or values.get(key)
    if value is None or (isinstance(value, str) and value):
        return value
    raise SlipwayError(
        f"{key} is {value!r}",
        where=f"{path}: [pipeline]",
        fix=f'a text, such as {key} = "{EXAMPLES[key]}"',
    )


def _address(path: Path, key: str, text: str) -> Address:
    if not ADDRESS.fullmatch(text):
        raise SlipwayError(
            f"{key} is not an address of the Remote Execution API",
            where=f"{path}: [pipeline], or {VARIABLES[key]}",
            fix=f'{key} = "{EXAMPLES[key]}", or "{OFF}"',
        )
    return Address(text)


def _file(path: Path, text: str | None) -> Path | None:
    return path.parent / Path(text).expanduser() if text else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long: the text itself
        return False
