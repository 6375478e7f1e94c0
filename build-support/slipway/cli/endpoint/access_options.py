"""The options of ``slipway endpoint up`` that say who may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slipway.cli.options import FILE

if TYPE_CHECKING:
    from slipway.endpoint.access.opening import Opening
    from slipway.settings import EndpointSettings, Settings

LOOPBACK = "127.0.0.1"
OPTIONS: tuple[Callable[..., Any], ...] = (
    click.option(
        "--listen",
        default=LOOPBACK,
        show_default=True,
        metavar="ADDRESS",
        help="Open it to others: an address of this machine, or 0.0.0.0. Needs --tokens or"
        " --credentials.",
    ),
    click.option(
        "--name",
        "host_names",
        multiple=True,
        metavar="HOST",
        help="A host name by which others ask, if not by address; may be repeated.",
    ),
    click.option("--tokens", is_flag=True, help="Ask for a token, as slipway token create issues."),
    click.option(
        "--credentials",
        metavar="FILE",
        help="Ask for a signature (SigV4) by one of these credentials, in AWS's own format.",
    ),
    click.option(
        "--policies",
        metavar="ENV",
        help="With --credentials: try the policies of this environment of ci/infra.",
    ),
    click.option(
        "--role", metavar="NAME", help="With --policies: of credentials that name no role."
    ),
    click.option("--tls-certificate", type=FILE, help="Serve HTTPS: the certificate, in PEM."),
    click.option("--tls-key", type=FILE, help="The certificate's key, in PEM."),
)
# what belongs to the process, and not to one endpoint
PROCESS = ("listen", "host_names", "tokens", "tls_certificate", "tls_key")


def access_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to the command."""
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


@dataclass(frozen=True)
class AccessOptions:
    """How far the process is opened."""

    listen: str
    host_names: tuple[str, ...]
    tokens: bool
    tls_certificate: Path | None
    tls_key: Path | None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> AccessOptions:
        """Return them, taken out of the options that belong to endpoints."""
        return cls(**{name: options.pop(name) for name in PROCESS})

    def arguments(self) -> list[str]:
        """Return the command line that gives them."""
        words = [f"--listen={self.listen}", *(f"--name={name}" for name in self.host_names)]
        words += ["--tokens"] if self.tokens else []
        words += [f"--tls-certificate={self.tls_certificate}"] if self.tls_certificate else []
        return words + ([f"--tls-key={self.tls_key}"] if self.tls_key else [])

    def opening(self, configured: Settings, entries: Sequence[EndpointSettings]) -> Opening:
        """Return how far the endpoints are opened, and who guards them.

        Raises:
            SlipwayError: the options do not fit together, a file cannot be used, or a policy
                cannot be evaluated.
        """
        from slipway.endpoint.access.guard import Guard
        from slipway.endpoint.access.opening import open_endpoint_to
        from slipway.endpoint.access.signatures.verify import Verifier
        from slipway.endpoint.access.tokens.keys import load_private_key, tokens_folder
        from slipway.endpoint.access.tokens.reader import TokenReader

        signing = _Signing.of(configured, entries)
        guard = None
        if self.tokens or signing.credentials:
            folder = tokens_folder(configured.root)
            if self.tokens and not (folder / "public").exists():
                load_private_key(folder)  # makes the first key
            reader = TokenReader(folder) if self.tokens else None
            verifier = (
                Verifier(signing.credentials, signing.region) if signing.credentials else None
            )
            guard = Guard(reader, verifier, signing.roles, signing.place)
        return open_endpoint_to(
            self.listen, guard, self.host_names, self.tls_certificate, self.tls_key
        )


@dataclass(frozen=True)
class _Signing:
    """The credentials of a process, and the roles that they have."""

    credentials: Mapping[str, Any]
    region: str | None
    roles: Mapping[str, Any] | None
    place: Any

    @classmethod
    def of(cls, configured: Settings, entries: Sequence[EndpointSettings]) -> _Signing:
        from slipway.endpoint.access.principal import Place
        from slipway.endpoint.access.signatures.credentials import read_credentials
        from slipway.endpoint.http.control import ACCOUNT
        from slipway.errors import SlipwayError

        kinds = {(entry.credentials, entry.policies, entry.role, entry.region) for entry in entries}
        names = {entry.name: entry.name for entry in entries}
        if not any(path or policies or role for path, policies, role, _ in kinds):
            return cls({}, None, None, Place("us-east-1", ACCOUNT, names))
        if len(kinds) > 1:
            raise SlipwayError(
                "the endpoints differ in credentials, policies, role or region",
                fix="start a process for each: slipway endpoint up --endpoint NAME --port 0",
            )
        ((path, policies, role, region),) = kinds
        if path is None:
            raise SlipwayError(
                "policies are those of who signed, and no credentials are given",
                fix="add --credentials FILE, or credentials in [endpoint.<name>]",
            )
        credentials = read_credentials(configured.root / Path(path).expanduser())
        if policies is None and role is not None:
            policies = entries[0].stage
        if policies is None:
            return cls(credentials, region, None, Place(region or "us-east-1", ACCOUNT, names))
        return cls._with_roles(configured, entries, credentials, policies, role, region)

    @classmethod
    def _with_roles(
        cls,
        configured: Settings,
        entries: Sequence[EndpointSettings],
        credentials: Mapping[str, Any],
        policies: str,
        role: str | None,
        region: str | None,
    ) -> _Signing:
        from slipway.endpoint.access.principal import Place, check_keys
        from slipway.errors import SlipwayError
        from slipway.infra.environment import load_environment
        from slipway.infra.roles import ACCOUNT, partition_of, read_roles

        if len(entries) > 1:
            raise SlipwayError(
                f"the policies of {policies} are about one endpoint, and there are {len(entries)}",
                fix="serve one at a time: slipway endpoint up --endpoint NAME --port 0",
            )
        environment = load_environment(configured, policies, to_deploy=False)
        region = region or environment.region or "us-east-1"
        roles = read_roles(environment, region)
        found = {}
        for one in credentials.values():
            name = one.role or role
            if name is None:
                raise SlipwayError(
                    f"the credentials [{one.profile}] have no role",
                    fix="write role = NAME below it, or give --role NAME:"
                    f" {', '.join(roles.principals)}",
                )
            found[one.profile] = roles.find(name)
            check_keys(found[one.profile], roles.where)
        if roles.endpoint is None:
            raise SlipwayError(
                f"{policies} has no endpoint that its policies are about",
                where=roles.where,
                fix="name an environment whose template has the output EndpointName",
            )
        place = Place(region, ACCOUNT, {entries[0].name: roles.endpoint}, partition_of(region))
        return cls(credentials, region, found, place)


def access_lines(root: Path, url: str, opening: Opening) -> list[str]:
    """Return what to print of who may ask; on a terminal, with a link that opens the page.

    A token is never written to a file, such as the log of a process in the background.
    """
    import getpass
    import sys
    from datetime import timedelta

    from slipway.endpoint.access.tokens.keys import tokens_folder
    from slipway.endpoint.access.tokens.token import issue

    guard = opening.guard
    if guard is None:
        return []
    lines = [f"Asks for {' or '.join(guard.kinds)}."]
    warning = opening.warning()
    lines += [click.style(warning, fg="yellow")] if warning else []
    if "tokens" in guard.kinds and (tokens_folder(root) / "private.pem").exists():
        if sys.stdout.isatty():
            page, _ = issue(
                tokens_folder(root), f"page of {getpass.getuser()}", timedelta(hours=12)
            )
            lines.append(f"the page, for 12 h: {url}/#token={page}")
        else:
            lines.append(f"a link to the page: slipway token create NAME --link {url}")
    return lines
