"""Verify signatures as AWS does: botocore's own signer signs the request again."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import ReadOnlyCredentials

from slipway.endpoint.access.signatures.credentials import Credentials
from slipway.endpoint.access.signatures.signature import (
    TIMESTAMP,
    Signature,
    read_signature,
    refused,
)

SERVICE = "sagemaker"  # of the runtime and of the control plane alike
SKEW = timedelta(minutes=5)
PAYLOAD = "X-Amz-Content-SHA256"
KEPT_KEYS = 256
# nobody on the way may change what is asked for: AWS asks for x-amz-*, and its clients sign these
NEED_SIGNATURE = ("x-amz-", "x-amzn-sagemaker-")
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS"
    " Secret Access Key and signing method. Consult the service documentation for details."
)


class Verifier:
    """Verifies signatures by ``credentials``, in ``region`` if it is set."""

    def __init__(self, credentials: Mapping[str, Credentials], region: str | None = None) -> None:
        self._credentials = credentials
        self._region = region
        self._signing_keys: dict[tuple[str, str, str], bytes] = {}

    def claim(
        self, headers: Mapping[str, str], query: str, now: datetime
    ) -> tuple[Signature, Credentials]:
        """Return the signature of a request and whose it is said to be, before its body is read.

        Raises:
            Failure: it is missing or incomplete, of an unknown key, expired or for elsewhere.
        """
        signature = read_signature(headers, query)
        credentials = self._credentials.get(signature.key)
        if credentials is None or not _equal(credentials.session or "", signature.session or ""):
            raise refused(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            )
        if credentials.expires and credentials.expires <= now:
            raise refused(
                "ExpiredTokenException", "The security token included in the request is expired"
            )
        _check_time(signature, now)
        self._check_scope(signature)
        return signature, credentials

    def verify(
        self,
        signature: Signature,
        credentials: Credentials,
        method: str,
        path: str,
        query: str,
        headers: Any,
        body: bytes,
    ) -> None:
        """Check that the signature is the one of this request.

        ``path`` and ``query`` are as they were sent, ``headers`` a multidict.

        Raises:
            Failure: it is not.
        """
        digest = hashlib.sha256(body).hexdigest()
        sent = headers.get(PAYLOAD)
        if sent is not None and not _equal(sent, digest):
            # botocore's signer would believe the header
            raise refused("InvalidSignatureException", MISMATCH)
        unsigned = [
            name
            for name in headers
            if name.lower().startswith(NEED_SIGNATURE)
            and name.lower() not in signature.signed_headers
        ]
        if unsigned:
            raise refused(
                "InvalidSignatureException",
                f"There were headers present in the request which were not signed: {unsigned[0]}",
            )
        signer = _Signer(signature, credentials, digest)
        request = AWSRequest(method, f"http://signed{path}{_unsigned(query)}")
        for name in signature.signed_headers:
            values = headers.getall(name, None)
            if values is None:
                raise refused("InvalidSignatureException", MISMATCH)
            for value in values:
                if not _is_text(value):
                    raise refused("InvalidSignatureException", MISMATCH)
                request.headers.add_header(name, value)
        request.context["timestamp"] = signature.timestamp
        text = signer.string_to_sign(request, signer.canonical_request(request))
        key = self._signing_key(signature, credentials)
        expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        if not _equal(expected, signature.value):
            raise refused("InvalidSignatureException", MISMATCH)

    def _check_scope(self, signature: Signature) -> None:
        if self._region and signature.region != self._region:
            raise refused(
                "InvalidSignatureException",
                "Credential should be scoped to a valid region: this endpoint is in"
                f" {self._region}.",
            )
        if signature.service != SERVICE:
            raise refused(
                "InvalidSignatureException",
                f"Credential should be scoped to correct service: '{SERVICE}'.",
            )
        if signature.day != signature.timestamp[:8]:
            raise refused(
                "InvalidSignatureException",
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
                f" from HTTP: '{signature.day}' != '{signature.timestamp[:8]}', from"
                f" '{signature.timestamp}'.",
            )

    def _signing_key(self, signature: Signature, credentials: Credentials) -> bytes:
        """Return the key of a day, a region and an access key; it is derived once."""
        place = (credentials.key, signature.day, signature.region)
        key = self._signing_keys.get(place)
        if key is None:
            key = f"AWS4{credentials.secret}".encode()
            for part in signature.scope.split("/"):
                key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            if len(self._signing_keys) >= KEPT_KEYS:
                self._signing_keys.clear()
            self._signing_keys[place] = key
        return key


class _Signer(SigV4Auth):
    """botocore's signer for the headers that were signed, which its clients choose differently."""

    def __init__(self, signature: Signature, credentials: Credentials, digest: str) -> None:
        readable = ReadOnlyCredentials(credentials.key, credentials.secret, credentials.session)
        super().__init__(readable, signature.service, signature.region)
        self._digest = digest

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        return request.headers

    def payload(self, request: AWSRequest) -> str:
        return self._digest


def _check_time(signature: Signature, now: datetime) -> None:
    now_text, when = now.astimezone(UTC).strftime(TIMESTAMP), signature.timestamp
    holds = timedelta(seconds=signature.expires_s or 0)
    if signature.expires_s is None:
        holds = SKEW
    if signature.when + holds < now:
        limit = (now - holds).strftime(TIMESTAMP)
        raise refused(
            "InvalidSignatureException",
            f"Signature expired: {when} is now earlier than {limit} ({now_text} -"
            f" {holds.total_seconds() / 60:g} min.)",
        )
    if signature.when - SKEW > now:
        limit = (now + SKEW).strftime(TIMESTAMP)
        raise refused(
            "InvalidSignatureException",
            f"Signature not yet current: {when} is still later than {limit} ({now_text} + 5 min.)",
        )


def _is_text(value: str) -> bool:
    """Return whether a header was UTF-8; botocore's headers take nothing else."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unsigned(query: str) -> str:
    """Return the query string without the signature itself."""
    pairs = [pair for pair in query.split("&") if not pair.startswith("X-Amz-Signature=")]
    return f"?{'&'.join(pairs)}" if query else ""


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(
        one.encode(errors="surrogateescape"), other.encode(errors="surrogateescape")
    )
