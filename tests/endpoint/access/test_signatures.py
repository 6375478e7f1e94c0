"""SigV4: what four clients signed is accepted, what was changed on the way is not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from multidict import CIMultiDict

from slipway.endpoint.access.signatures.credentials import Credentials, read_credentials
from slipway.endpoint.access.signatures.verify import Verifier
from slipway.endpoint.failure import Failure
from slipway.errors import SlipwayError

SIGNED = Path(__file__).parent / "signed"
CLIENTS = sorted(path.stem for path in SIGNED.glob("*.json"))
# the example credentials of AWS's documentation
KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OURS = {KEY: Credentials("one", KEY, SECRET)}
PATH = "/endpoints/local/invocations"


def recorded(client: str) -> dict[str, Any]:
    """A request as the client sent it; its headers, which may be changed."""
    request: dict[str, Any] = json.loads((SIGNED / f"{client}.json").read_text(encoding="utf-8"))
    request["headers"] = CIMultiDict(request["headers"])
    return request


def verify(
    request: dict[str, Any],
    after: timedelta = timedelta(seconds=1),
    credentials: dict[str, Credentials] = OURS,
    region: str | None = None,
) -> None:
    """Verify a request so long after it was signed."""
    verifier = Verifier(credentials, region)
    when = datetime.strptime(request["when"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    signature, whose = verifier.claim(request["headers"], request["query"], when + after)
    body = request["body"].encode()
    method, path, query = request["method"], request["path"], request["query"]
    verifier.verify(signature, whose, method, path, query, request["headers"], body)


def refusal(request: dict[str, Any], **how: Any) -> Failure:
    with pytest.raises(Failure) as caught:
        verify(request, **how)
    return caught.value


def test_requests_of_four_clients_were_recorded() -> None:
    assert CLIENTS == ["aws-cli", "boto3", "curl", "javascript"]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_signed_is_accepted(client: str) -> None:
    verify(recorded(client))


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "body": lambda r: r.update(body=r["body"] + " "),
    "method": lambda r: r.update(method="PUT"),
    "path": lambda r: r.update(path=r["path"].replace("local", "other")),
    "query": lambda r: r.update(query="a=b"),
    "target": lambda r: r["headers"].update({"X-Amzn-SageMaker-Target-Model": "other.tar.gz"}),
    "host": lambda r: r["headers"].update({"Host": "elsewhere"}),
    "second target": lambda r: r["headers"].add("X-Amzn-SageMaker-Target-Model", "b.tar.gz"),
    "no target": lambda r: r["headers"].popall("X-Amzn-SageMaker-Target-Model"),
    "container": lambda r: r["headers"].add("X-Amzn-SageMaker-Target-Container-Hostname", "b"),
    "hash": lambda r: r["headers"].update({"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}),
    "no text": lambda r: r["headers"].update({"X-Amzn-SageMaker-Target-Model": "\udcff"}),
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("change", CHANGES)
def test_what_was_changed_on_the_way_is_refused(client: str, change: str) -> None:
    request = recorded(client)
    CHANGES[change](request)
    failure = refusal(request)
    assert (failure.status, failure.type) == (403, "InvalidSignatureException")


def test_another_secret_is_refused() -> None:
    other = {KEY: Credentials("one", KEY, SECRET.lower())}
    assert refusal(recorded("boto3"), credentials=other).type == "InvalidSignatureException"


def test_an_unknown_key_is_unrecognized() -> None:
    assert refusal(recorded("boto3"), credentials={}).type == "UnrecognizedClientException"


@pytest.mark.parametrize(("minutes", "said"), [(5.1, "Signature expired"), (-5.1, "not yet")])
def test_a_clock_may_be_wrong_by_five_minutes_and_no_more(minutes: float, said: str) -> None:
    verify(recorded("boto3"), timedelta(minutes=0.9 * minutes))
    failure = refusal(recorded("boto3"), after=timedelta(minutes=minutes))
    assert failure.type == "InvalidSignatureException" and said in failure.message


def test_credentials_end() -> None:
    ended = {KEY: Credentials("one", KEY, SECRET, expires=datetime(2026, 11, 1, tzinfo=UTC))}
    assert refusal(recorded("boto3"), credentials=ended).type == "ExpiredTokenException"


def test_another_region_is_refused_where_the_endpoint_has_one() -> None:
    verify(recorded("boto3"), region="us-east-1")
    assert "valid region" in refusal(recorded("boto3"), region="eu-west-1").message


@pytest.mark.parametrize(
    ("old", "new", "type"),
    [
        ("/sagemaker/", "/s3/", "InvalidSignatureException"),
        ("/us-east-1/", "/eu-west-1/", "InvalidSignatureException"),
        ("/us-east-1/", "/US EAST/", "IncompleteSignatureException"),
        ("/aws4_request", "", "IncompleteSignatureException"),
        ("Signature=", "Sign=", "IncompleteSignatureException"),
        ("SignedHeaders=", "Headers=", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", "IncompleteSignatureException"),
        ("host;", "", "InvalidSignatureException"),
        ("x-amzn-sagemaker-target-model", "date", "InvalidSignatureException"),
        ("20261130", "20261129", "InvalidSignatureException"),
    ],
)
def test_an_authorization_that_was_changed_is_refused(old: str, new: str, type: str) -> None:
    request = recorded("boto3")
    text = request["headers"]["Authorization"]
    assert old in text
    request["headers"]["Authorization"] = text.replace(old, new)
    assert refusal(request).type == type


@pytest.mark.parametrize("date", ["", "yesterday", "20261130T256161Z", "2026-11-30T20:39:35Z"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    request = recorded("boto3")
    request["headers"]["X-Amz-Date"] = date
    assert refusal(request).type == "IncompleteSignatureException"


def test_no_signature_is_a_missing_token() -> None:
    request = recorded("boto3")
    del request["headers"]["Authorization"]
    assert refusal(request).type == "MissingAuthenticationTokenException"


def test_temporary_credentials_need_their_session_token() -> None:
    own = {KEY: Credentials("one", KEY, SECRET, session="session//token==")}
    request = AWSRequest("POST", f"http://127.0.0.1{PATH}", {"Host": "127.0.0.1"}, b"{}")
    SigV4Auth(
        ReadOnlyCredentials(KEY, SECRET, "session//token=="), "sagemaker", "us-east-1"
    ).add_auth(request)
    sent = {
        "method": "POST", "path": PATH, "query": "", "body": "{}",
        "headers": CIMultiDict(request.headers.items()), "when": request.context["timestamp"],
    }  # fmt: skip
    verify(sent, credentials=own)
    assert refusal(sent).type == "UnrecognizedClientException"
    sent["headers"]["X-Amz-Security-Token"] = "other"
    assert refusal(sent, credentials=own).type == "UnrecognizedClientException"


def presigned(body: bytes, expires: int) -> dict[str, Any]:
    # botocore's presigner moves a body into the query; the hash of it can be a header instead
    headers = {"Host": "127.0.0.1", "X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    request = AWSRequest("POST", f"http://127.0.0.1{PATH}", headers)
    credentials = ReadOnlyCredentials(KEY, SECRET, None)
    SigV4QueryAuth(credentials, "sagemaker", "us-east-1", expires=expires).add_auth(request)
    return {
        "method": "POST", "path": PATH, "query": str(request.url).partition("?")[2],
        "body": body.decode(), "headers": CIMultiDict(headers),
        "when": request.context["timestamp"],
    }  # fmt: skip


def test_a_presigned_url_holds_as_long_as_it_says() -> None:
    request = presigned(b"{}", 600)
    verify(request, timedelta(seconds=590))
    assert "Signature expired" in refusal(request, after=timedelta(seconds=610)).message
    request["query"] = request["query"].replace("X-Amz-Expires=600", "X-Amz-Expires=60000")
    assert refusal(request).type == "InvalidSignatureException"


def test_a_presigned_url_may_hold_for_a_week_at_most() -> None:
    assert refusal(presigned(b"{}", 604_801)).type == "IncompleteSignatureException"


FILE = f"[one]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"


def credentials_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "callers.ini"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_credentials_are_read_from_awss_own_format(tmp_path: Path) -> None:
    more = "role = Invoker\nexpiration = 2026-12-01T00:00:00Z\nregion = eu-west-1\n"
    (one,) = read_credentials(credentials_file(tmp_path, FILE + more)).values()
    assert (one.profile, one.key, one.secret, one.role) == ("one", KEY, SECRET, "Invoker")
    assert one.expires == datetime(2026, 12, 1, tzinfo=UTC)
    assert SECRET not in repr(one)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no credentials"),
        ("[one]\naws_access_key_id = A\n", "aws_secret_access_key is missing"),
        (FILE + "rolle = Invoker\n", "unknown rolle"),
        (FILE + FILE.replace("[one]", "[two]"), "have the same"),
        (FILE + "expiration = soon\n", "expiration is 'soon'"),
        (f"aws_secret_access_key = {SECRET}\n", "not an INI file"),
        (FILE.replace(KEY, "A/B"), "cannot be part of a signature"),
    ],
)
def test_a_file_with_a_mistake_is_refused_without_its_secret(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SlipwayError) as caught:
        read_credentials(credentials_file(tmp_path, text))
    assert said in str(caught.value) and SECRET not in str(caught.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = credentials_file(tmp_path, FILE, 0o644)
    with pytest.raises(SlipwayError, match="others can read") as caught:
        read_credentials(path)
    assert caught.value.fix == f"chmod 600 {path}"
