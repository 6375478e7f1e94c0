"""The guard of an endpoint: who asks, and whether they may. Endpoints on loopback have none."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from slipway.endpoint.access.asked import Asked, is_control, what_is_asked
from slipway.endpoint.access.limiter import FailureLimiter
from slipway.endpoint.access.principal import Place, Principal, authorize
from slipway.endpoint.access.signatures.verify import Verifier
from slipway.endpoint.access.tokens.grant import Grant
from slipway.endpoint.access.tokens.reader import TokenReader
from slipway.endpoint.access.tokens.token import SKEW, BadToken
from slipway.endpoint.failure import Failure

BEARER = "bearer "
KEPT = 1024  # tokens that were verified

type ReadBody = Callable[[web.BaseRequest], Awaitable[bytes]]


@dataclass(frozen=True)
class Caller:
    """Who asks. ``check`` raises a Failure unless they may ask for it."""

    name: str
    check: Callable[[Asked], None]


CALLER = web.RequestKey("caller", Caller)  # of a request that was admitted


class Guard:
    """Admits requests that have a token, or the signature of a credential.

    ``roles`` are the principals of the credentials, by their profiles; without, every signature
    may ask for everything, as no policy is tried.
    """

    def __init__(
        self,
        tokens: TokenReader | None,
        signatures: Verifier | None,
        roles: Mapping[str, Principal] | None,
        place: Place,
    ) -> None:
        self._tokens = tokens
        self._signatures = signatures
        self._roles = roles
        self._place = place
        self._limiter = FailureLimiter()
        self._verified: OrderedDict[bytes, Grant] = OrderedDict()
        self._generation = -1

    @property
    def kinds(self) -> list[str]:
        """Return what is asked for: ``tokens``, ``credentials`` or both."""
        both = {"tokens": self._tokens, "credentials": self._signatures}
        return [name for name, reader in both.items() if reader]

    async def admit(self, request: web.BaseRequest, read_body: ReadBody) -> None:
        """Check who asks, and that they may ask for this. ``read_body`` reads a request's body.

        Raises:
            Failure: 401 or 403, or 429 after too many failures from the caller's address.
        """
        address = request.remote or ""
        authorization = request.headers.get("Authorization", "")
        if self._tokens and authorization[: len(BEARER)].lower() == BEARER:
            caller = self._with_token(authorization[len(BEARER) :].strip(), address)
        elif self._signatures and (authorization or "X-Amz-Signature=" in request.query_string):
            caller = await self._with_signature(request, address, read_body)
        elif self._tokens and not self._signatures:
            raise self._failed(address, self._needs_token(authorization))
        else:
            missing = "MissingAuthenticationTokenException"
            raise self._failed(address, Failure(403, missing, "Missing Authentication Token"))
        method, path, headers = request.method, request.path, request.headers
        body = await read_body(request) if is_control(method, path, headers) else b""
        caller.check(what_is_asked(method, path, headers, body))
        request[CALLER] = caller

    def _with_token(self, token: str, address: str) -> Caller:
        assert self._tokens is not None
        if self._generation != self._tokens.generation():
            self._verified.clear()
            self._generation = self._tokens.generation()
        key = hashlib.sha256(token.encode(errors="surrogateescape")).digest()
        grant = self._verified.get(key)
        if grant is None or grant.expires + SKEW <= datetime.now(UTC):
            self._listen_to(address)
            self._verified.pop(key, None)
            try:
                grant = self._tokens.read(token)
            except BadToken as error:
                raise self._failed(address, invalid_token(str(error))) from None
            self._limiter.accepted(address)
            self._verified[key] = grant
            if len(self._verified) > KEPT:
                self._verified.popitem(last=False)
        else:
            self._verified.move_to_end(key)
        return _bearer(grant, self._place)

    async def _with_signature(
        self, request: web.BaseRequest, address: str, read_body: ReadBody
    ) -> Caller:
        assert self._signatures is not None
        self._listen_to(address)
        path, _, query = request.raw_path.partition("?")
        try:
            signature, credentials = self._signatures.claim(
                request.headers, query, datetime.now(UTC)
            )
            body = await read_body(request)
            self._signatures.verify(
                signature, credentials, request.method, path, query, request.headers, body
            )
        except Failure as failure:
            if failure.status == 403:
                raise self._failed(address, failure) from None
            raise
        self._limiter.accepted(address)
        if self._roles is None:
            return Caller(credentials.profile, lambda asked: None)
        principal, headers = self._roles[credentials.profile], request.headers

        def check(asked: Asked) -> None:
            authorize(principal, credentials.profile, asked, self._place, headers, address)

        return Caller(f"{principal.name}/{credentials.profile}", check)

    def _listen_to(self, address: str) -> None:
        wait_s = self._limiter.wait_s(address, time.monotonic())
        if wait_s:
            raise Failure(
                429,
                "ThrottlingException",
                f"too many failed attempts; ask again in {wait_s:.0f} s",
            )

    def _failed(self, address: str, failure: Failure) -> Failure:
        self._listen_to(address)
        self._limiter.failed(address, time.monotonic())
        return failure

    def _needs_token(self, authorization: str) -> Failure:
        what = "signed with AWS credentials" if authorization else "without a token"
        return Failure(
            401,
            "MissingAuthenticationTokenException",
            f"the request is {what}: this endpoint takes tokens (Authorization: Bearer …)."
            " slipway token create issues one; slipway's clients take it from SLIPWAY_TOKEN",
        )


def invalid_token(why: str) -> Failure:
    """Return a 401: the token is not accepted, for a reason that holds nothing of it."""
    expired = "expired" in why
    type = "ExpiredTokenException" if expired else "UnrecognizedClientException"
    return Failure(401, type, f"the token is not accepted: {why}. Issue one: slipway token create")


def check_caller(request: web.BaseRequest, asked: Asked) -> None:
    """Check that who sent an admitted request may also ask for ``asked``; for handlers of the page
    that invoke a target model named in the body.

    Raises:
        Failure: 403. Never where the endpoint has no guard.
    """
    caller = request.get(CALLER)
    if caller is not None:
        caller.check(asked)


def _bearer(grant: Grant, place: Place) -> Caller:
    def check(asked: Asked) -> None:
        target = asked.target or asked.container
        # what shows all endpoints is for who may see each of them
        names = [asked.endpoint] if asked.endpoint else place.names
        if all(grant.allows(asked.action, name, target) for name in names):
            return
        what = f"invoke {ascii(target or 'all models')}" if asked.action == "invoke" else "look"
        on = ascii(asked.endpoint)[1:-1] if asked.endpoint else ", ".join(place.names)
        raise Failure(
            403,
            "AccessDeniedException",
            f"the token {grant.id} does not allow to {what:.1100} on {on}: it allows"
            f" {', '.join(grant.actions)} of {', '.join(grant.targets)} on"
            f" {', '.join(grant.endpoints)}",
        )

    return Caller(grant.subject, check)
