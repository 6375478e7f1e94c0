"""What is kept of tokens: who has which until when, and which are revoked. Never a token itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from slipway.endpoint.access.tokens.grant import Action, Grant
from slipway.errors import SlipwayError
from slipway.files import atomic_write, locked

FILE = "issued.json"
MOST = 10_000  # tokens that have not expired


@dataclass(frozen=True)
class Issued:
    """A token that was issued: ``grant``, and whether it was revoked."""

    grant: Grant
    revoked: bool = False


def read_issued(folder: Path) -> dict[str, Issued]:
    """Return the tokens that have not expired, by their ids.

    Raises:
        SlipwayError: the list is not one of Slipway's.
    """
    path = folder / FILE
    try:
        values = json.loads(path.read_bytes())
        found = {key: _issued(key, value) for key, value in values.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SlipwayError(
            f"the list of tokens cannot be read: {error}",
            where=str(path),
            # without the list, nobody knows which tokens were revoked
            fix="slipway token rotate --revoke",
        ) from error
    now = datetime.now(UTC)
    return {key: one for key, one in found.items() if one.grant.expires > now}


def revoked_ids(folder: Path) -> frozenset[str]:
    """Return the ids of revoked tokens."""
    return frozenset(key for key, one in read_issued(folder).items() if one.revoked)


def add(folder: Path, grant: Grant) -> None:
    """Add a token to the list.

    Raises:
        SlipwayError: there are too many.
    """
    with _changed(folder) as issued:
        if len(issued) >= MOST:
            raise SlipwayError(
                f"{MOST} tokens have not expired",
                where=str(folder / FILE),
                fix="slipway token rotate --revoke, and shorter --expires",
            )
        issued[grant.id] = Issued(grant)


def revoke(folder: Path, ids: tuple[str, ...]) -> list[Grant]:
    """Revoke the tokens of these ids, or of beginnings of them; return them.

    Raises:
        SlipwayError: one fits no token, or several. Then none is revoked.
    """
    with _changed(folder) as issued:
        found = []
        for text in ids:
            fitting = [one for key, one in issued.items() if key.startswith(text)]
            if len(fitting) != 1:
                raise SlipwayError(
                    f"{len(fitting)} tokens have an id that begins with {text!r}",
                    where=str(folder / FILE),
                    fix="slipway token list shows the ids; expired tokens need no revocation",
                )
            found.append(fitting[0].grant)
        for grant in found:
            issued[grant.id] = Issued(grant, revoked=True)
        return found


def clear(folder: Path) -> None:
    """Empty the list, after the keys of all its tokens are gone. A damaged one is replaced."""
    with locked(folder / f"{FILE}.lock"), atomic_write(folder / FILE) as aside:
        aside.write_text("{}", encoding="utf-8")


@contextmanager
def _changed(folder: Path) -> Iterator[dict[str, Issued]]:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    with locked(folder / f"{FILE}.lock"):
        issued = read_issued(folder)
        yield issued
        values = {key: _dump(one) for key, one in issued.items()}
        with atomic_write(folder / FILE) as aside:
            aside.write_text(json.dumps(values, indent=1), encoding="utf-8")


def _dump(issued: Issued) -> dict[str, Any]:
    grant = issued.grant
    return {
        "subject": grant.subject,
        "issued": grant.issued.isoformat(),
        "expires": grant.expires.isoformat(),
        "actions": grant.actions,
        "targets": grant.targets,
        "endpoints": grant.endpoints,
        "revoked": issued.revoked,
    }


def _issued(key: str, value: Mapping[str, Any]) -> Issued:
    actions: tuple[Action, ...] = tuple(value["actions"])
    grant = Grant(
        key,
        value["subject"],
        datetime.fromisoformat(value["issued"]),
        datetime.fromisoformat(value["expires"]),
        actions,
        tuple(value["targets"]),
        tuple(value["endpoints"]),
    )
    return Issued(grant, bool(value["revoked"]))
