"""A guarded endpoint over HTTP: who is let in, who is not, and what they are told."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slipway.client.runtime import Runtime
from slipway.endpoint.access.guard import Guard
from slipway.endpoint.access.hosts import Hosts
from slipway.endpoint.access.iam.document import parse_policy
from slipway.endpoint.access.limiter import OF_ADDRESS
from slipway.endpoint.access.opening import Opening, open_endpoint_to
from slipway.endpoint.access.principal import Place, Principal, check_keys
from slipway.endpoint.access.signatures.credentials import Credentials
from slipway.endpoint.access.signatures.verify import Verifier
from slipway.endpoint.access.tokens import record
from slipway.endpoint.access.tokens.keys import create_key
from slipway.endpoint.access.tokens.reader import TokenReader
from slipway.endpoint.access.tokens.token import issue
from slipway.errors import SlipwayError
from slipway.loadtest.address import resolve_address
from slipway.settings import EndpointSettings
from tests.endpoint.access import guarded
from tests.endpoint.access.guarded import Guarded

HOUR = timedelta(hours=1)
TARGET = "screen_1.tar.gz"
SECRET = "a-secret"
PLACE = Place("us-east-1", "000000000000", {"local": "slipway-staging"})
ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/slipway-staging"
POLICY: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": ARN,
     "Condition": {"StringLike": {"sagemaker:TargetModel": "screen_*"}}},
    {"Effect": "Deny", "Action": "sagemaker:*", "Resource": "*",
     "Condition": {"StringEquals": {"sagemaker:TargetModel": "screen_secret.tar.gz"}}},
    {"Effect": "Allow", "Action": "sagemaker:DescribeEndpoint", "Resource": ARN},
]  # fmt: skip


def principal(statements: Any) -> Principal:
    document = {"Version": "2012-10-17", "Statement": statements}
    arn = "arn:aws:iam::000000000000:role/Invoker"
    return Principal("Invoker", arn, parse_policy("own", document, "here"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Keys and tokens, with a first key."""
    create_key(tmp_path / "tokens")
    return tmp_path / "tokens"


@pytest.fixture
def with_tokens(folder: Path) -> Iterator[Guarded]:
    """An endpoint that asks for tokens."""
    with guarded.serve(Opening(guard=Guard(TokenReader(folder), None, None, PLACE))) as up:
        yield up


CREDENTIALS = {
    "AKIAALICE": Credentials("alice", "AKIAALICE", SECRET),
    "AKIABOB": Credentials("bob", "AKIABOB", "other-secret"),
}


@pytest.fixture
def with_policies() -> Iterator[Guarded]:
    """An endpoint whose callers sign; alice has the policy, bob has none."""
    roles = {"alice": principal(POLICY), "bob": principal(POLICY[2:])}
    guard = Guard(None, Verifier(CREDENTIALS, "us-east-1"), roles, PLACE)
    with guarded.serve(Opening(guard=guard)) as up:
        yield up


def client(up: Guarded, service: str = "sagemaker-runtime", who: str = "alice") -> Any:
    (chosen,) = [one for one in CREDENTIALS.values() if one.profile == who]
    made: Any = boto3.session.Session()
    return made.client(
        service,
        endpoint_url=up.url,
        region_name="us-east-1",
        aws_access_key_id=chosen.key,
        aws_secret_access_key=chosen.secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def refusal(call: Any, **parameters: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    said = caught.value.response
    return (
        said["ResponseMetadata"]["HTTPStatusCode"],
        said["Error"]["Code"],
        said["Error"]["Message"],
    )


def test_without_a_guard_nothing_is_asked() -> None:
    with guarded.serve(Opening()) as up:
        assert up.invoke(TARGET) == (200, "")
        assert up.ask("GET", "/metrics", b"")[0] == 200
        assert up.invoke(TARGET, "any") == (200, "")


def test_a_token_lets_in_and_none_does_not(with_tokens: Guarded, folder: Path) -> None:
    token, _ = issue(folder, "alice", HOUR, targets=("screen_*",))
    assert with_tokens.invoke(TARGET, token) == (200, "")
    assert with_tokens.invoke(TARGET) == (401, "MissingAuthenticationTokenException")
    assert with_tokens.invoke(TARGET, "x" + token) == (401, "UnrecognizedClientException")
    assert with_tokens.invoke("adder.tar.gz", token) == (403, "AccessDeniedException")
    status, headers, answer = with_tokens.ask()
    assert (status, headers["WWW-Authenticate"]) == (401, 'Bearer realm="slipway"')
    assert "slipway token create" in answer["Message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/state"),
        ("GET", "/metrics"),
        ("GET", "/nothing"),
        ("GET", "/playground/releases"),
        ("POST", "/playground/ask"),
        ("POST", "/"),
        ("POST", "/endpoints/nobody/invocations"),
        ("POST", "/endpoints/local/async-invocations"),
        ("PUT", "/ping"),
        ("POST", "/playground"),
        ("GET", "//state"),
        ("GET", "/state/"),
        ("GET", "/%73tate"),
    ],
)
def test_whatever_tells_something_is_guarded(with_tokens: Guarded, method: str, path: str) -> None:
    assert with_tokens.ask(method, path, b"")[0] == 401
    operation = {"X-Amz-Target": "SageMaker.ListEndpoints"}
    assert with_tokens.ask(method, path, b"", operation)[0] == 401


@pytest.mark.parametrize("path", ["/ping", "/", "/playground", "/page/shared/access.js"])
def test_what_tells_nothing_is_open(with_tokens: Guarded, path: str) -> None:
    assert with_tokens.ask("GET", path, b"")[0] == 200


def test_looking_and_invoking_are_allowed_apart(with_tokens: Guarded, folder: Path) -> None:
    look, _ = issue(folder, "alice", HOUR, actions=("look",))
    invoke, _ = issue(folder, "bob", HOUR, actions=("invoke",))
    elsewhere, _ = issue(folder, "eve", HOUR, endpoints=("other",))
    for token, looked, invoked in ((look, 200, 403), (invoke, 403, 200), (elsewhere, 403, 403)):
        bearer = {"Authorization": f"Bearer {token}"}
        assert with_tokens.ask("GET", "/metrics", b"", bearer)[0] == looked
        assert with_tokens.invoke(TARGET, token)[0] == invoked


def test_the_control_plane_is_looked_at(with_tokens: Guarded, folder: Path) -> None:
    look, _ = issue(folder, "alice", HOUR, actions=("look",))
    headers = {"X-Amz-Target": "SageMaker.ListEndpoints", "Authorization": f"Bearer {look}"}
    status, _, answer = with_tokens.ask("POST", "/", b"{}", headers)
    assert (status, answer["Endpoints"][0]["EndpointName"]) == (200, "local")


def test_a_revocation_and_a_rotation_hold_for_a_running_endpoint(
    with_tokens: Guarded, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slipway.endpoint.access.tokens.reader.CHECK_S", 0.0)
    token, grant = issue(folder, "alice", HOUR)
    assert with_tokens.invoke(TARGET, token)[0] == 200
    record.revoke(folder, (grant.id,))
    assert with_tokens.invoke(TARGET, token)[0] == 401
    create_key(folder)
    assert with_tokens.invoke(TARGET, issue(folder, "alice", HOUR)[0])[0] == 200


def test_failures_are_limited_and_a_verified_token_is_not(
    with_tokens: Guarded, folder: Path
) -> None:
    token, _ = issue(folder, "alice", HOUR)
    assert with_tokens.invoke(TARGET, token)[0] == 200
    for _ in range(OF_ADDRESS):
        assert with_tokens.invoke(TARGET, "wrong")[0] == 401
    assert with_tokens.invoke(TARGET, "wrong") == (429, "ThrottlingException")
    assert with_tokens.invoke(TARGET) == (429, "ThrottlingException")
    assert with_tokens.invoke(TARGET, issue(folder, "bob", HOUR)[0])[0] == 429
    assert with_tokens.invoke(TARGET, token)[0] == 200


def test_no_token_is_in_what_is_recorded(with_tokens: Guarded, folder: Path) -> None:
    token, _ = issue(folder, "alice", HOUR, actions=("look",))
    with_tokens.invoke(TARGET, token)
    with_tokens.invoke(TARGET, token[:-3])
    with_tokens.invoke(TARGET, "hunter2")
    bearer = {"Authorization": f"Bearer {token}"}
    metrics = with_tokens.ask("GET", "/metrics", b"", bearer)[2]["text"].decode()
    events = [event._asdict() for event in with_tokens.endpoint.observer.latest()]
    assert len(events) == 3 and "RefusedRequests_total" in metrics
    for text in (metrics, json.dumps(events)):
        assert "hunter2" not in text and token[-20:] not in text and token[:-3] not in text


def test_the_client_and_load_tests_send_the_token(
    with_tokens: Guarded, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, _ = issue(folder, "alice", HOUR)
    reply = Runtime("local", url=with_tokens.url, token=token).invoke(TARGET, b"{}", "text/plain")
    assert json.loads(reply.body)["target"] == TARGET
    with pytest.raises(SlipwayError, match="401") as caught:
        Runtime("local", url=with_tokens.url).invoke(TARGET, b"{}", "text/plain")
    assert "SLIPWAY_TOKEN" in str(caught.value.fix)
    monkeypatch.setenv("SLIPWAY_TOKEN", token)
    address = resolve_address(EndpointSettings("local"), tmp_path, with_tokens.url)
    assert address.is_local and address.sign is not None
    assert address.sign("", {}, b"")["Authorization"] == f"Bearer {token}"
    monkeypatch.setenv("SLIPWAY_TOKEN", "two words")
    with pytest.raises(SlipwayError, match="9 characters") as caught:
        resolve_address(EndpointSettings("local"), tmp_path, with_tokens.url)
    assert "two words" not in str(caught.value)


def test_an_unmodified_boto3_sends_a_token(
    with_tokens: Guarded, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_BEARER_TOKEN_SAGEMAKER", issue(folder, "alice", HOUR)[0])
    runtime = boto3.session.Session().client(
        "sagemaker-runtime",
        endpoint_url=with_tokens.url,
        region_name="us-east-1",
        config=Config(signature_version="bearer"),
    )
    answer = runtime.invoke_endpoint(EndpointName="local", TargetModel=TARGET, Body=b"{}")
    assert json.loads(answer["Body"].read())["target"] == TARGET


def test_a_policy_allows_what_it_names_and_nothing_else(with_policies: Guarded) -> None:
    invoke = client(with_policies).invoke_endpoint
    answer = invoke(EndpointName="local", TargetModel=TARGET, Body=b"{}")
    assert json.loads(answer["Body"].read())["target"] == TARGET
    user = "User: arn:aws:sts::000000000000:assumed-role/Invoker/alice is not authorized"
    perform = f"{user} to perform: sagemaker:InvokeEndpoint on resource: {ARN}"
    nothing = (
        f"{perform} because no identity-based policy allows the sagemaker:InvokeEndpoint action"
    )
    denied = f"{perform} with an explicit deny in an identity-based policy"
    for target, message in (("adder.tar.gz", nothing), ("screen_secret.tar.gz", denied)):
        said = refusal(invoke, EndpointName="local", TargetModel=target, Body=b"{}")
        assert said == (403, "AccessDeniedException", message)
    assert refusal(invoke, EndpointName="local", Body=b"{}")[2] == nothing
    other = client(with_policies, who="bob").invoke_endpoint
    assert refusal(other, EndpointName="local", TargetModel=TARGET, Body=b"")[0] == 403
    elsewhere = refusal(invoke, EndpointName="nobody", TargetModel=TARGET, Body=b"")
    assert elsewhere[1] == "AccessDeniedException" and "endpoint/nobody" in elsewhere[2]


def test_policies_decide_about_the_control_plane(with_policies: Guarded) -> None:
    control = client(with_policies, "sagemaker")
    assert control.describe_endpoint(EndpointName="local")["EndpointStatus"] == "InService"
    assert refusal(control.list_endpoints)[:2] == (400, "AccessDeniedException")
    assert refusal(control.describe_endpoint, EndpointName="b")[1] == "AccessDeniedException"
    assert refusal(control.delete_endpoint, EndpointName="local")[1] == "AccessDeniedException"


def test_wrong_secrets_fail_as_in_aws(with_policies: Guarded) -> None:
    wrong: dict[str, Any] = {"region_name": "us-east-1", "endpoint_url": with_policies.url}
    for key, code in (
        ("AKIAALICE", "InvalidSignatureException"),
        ("NOBODY", "UnrecognizedClientException"),
    ):
        runtime = boto3.client(
            "sagemaker-runtime", aws_access_key_id=key, aws_secret_access_key="x", **wrong
        )
        said = refusal(runtime.invoke_endpoint, EndpointName="local", Body=b"{}")
        assert said[:2] == (403, code)
    status, headers, _ = with_policies.ask()
    assert (status, headers["x-amzn-ErrorType"]) == (403, "MissingAuthenticationTokenException")
    assert with_policies.invoke(TARGET, "a.b.c")[1] == "IncompleteSignatureException"


def test_a_policy_says_nothing_about_the_page(with_policies: Guarded) -> None:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    request = AWSRequest("GET", f"{with_policies.url}/metrics")
    own = ReadOnlyCredentials("AKIAALICE", SECRET, None)
    SigV4Auth(own, "sagemaker", "us-east-1").add_auth(request)
    status, _, answer = with_policies.ask("GET", "/metrics", b"", dict(request.headers.items()))
    assert status == 403 and "slipway token create" in answer["Message"]


def test_credentials_without_policies_may_ask_for_everything() -> None:
    with guarded.serve(Opening(guard=Guard(None, Verifier(CREDENTIALS), None, PLACE))) as up:
        answer = client(up).invoke_endpoint(EndpointName="local", TargetModel="any", Body=b"{}")
        assert json.loads(answer["Body"].read())["target"] == "any"
        assert client(up, "sagemaker").list_endpoints()["Endpoints"]


def test_a_body_of_several_megabytes_is_verified(with_policies: Guarded) -> None:
    answer = client(with_policies).invoke_endpoint(
        EndpointName="local", TargetModel=TARGET, Body=b"x" * 5_000_000
    )
    assert len(json.loads(answer["Body"].read())["body"]) == 5_000_000


def test_a_condition_that_cannot_be_tried_here_is_an_error_at_the_start() -> None:
    tagged = POLICY[0] | {"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
    with pytest.raises(SlipwayError, match="reads aws:resourcetag/team") as caught:
        check_keys(principal([tagged]), "here")
    assert "slipway infra may" in str(caught.value.fix)
    check_keys(principal([tagged | {"Action": "s3:GetObject"}]), "here")


def test_a_name_that_was_not_given_is_no_host(folder: Path) -> None:
    guard = Guard(TokenReader(folder), None, None, PLACE)
    hosts = Hosts(["gpu1.example.org"], open_to_others=True)
    with guarded.serve(Opening(guard=guard, hosts=hosts)) as up:
        token, _ = issue(folder, "alice", HOUR)
        assert up.invoke(TARGET, token, Host="gpu1.example.org")[0] == 200
        assert up.invoke(TARGET, token, Host="192.0.2.7:8090")[0] == 200
        assert up.invoke(TARGET, token, Host="evil.example")[0] == 421


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7", "::"])
def test_beyond_loopback_somebody_has_to_ask(address: str, folder: Path) -> None:
    with pytest.raises(SlipwayError, match="is open to other machines") as caught:
        open_endpoint_to(address, None)
    assert "--tokens" in str(caught.value.fix) and "--credentials" in str(caught.value.fix)
    opened = open_endpoint_to(address, Guard(TokenReader(folder), None, None, PLACE))
    assert "plain HTTP" in str(opened.warning())


def test_on_loopback_nobody_has_to() -> None:
    opened = open_endpoint_to("127.0.0.1", None)
    assert opened.guard is None and opened.warning() is None
    assert opened.url(80) == "http://127.0.0.1:80"


def test_https_is_served_with_a_certificate(folder: Path, tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    guard = Guard(TokenReader(folder), None, None, PLACE)
    opened = open_endpoint_to("127.0.0.1", guard, ["localhost"], certificate, key)
    token, _ = issue(folder, "alice", HOUR)
    trusted = ssl.create_default_context(cafile=str(certificate))
    with guarded.serve(opened) as up:
        assert up.url.startswith("https://localhost:")
        request = urllib.request.Request(
            f"{up.url}/metrics", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, context=trusted, timeout=30) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urllib.request.urlopen(request, timeout=30)


def test_a_certificate_and_its_key_belong_together(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with pytest.raises(SlipwayError, match="a certificate and its key"):
        open_endpoint_to("127.0.0.1", None, (), certificate)
    key.chmod(0o644)
    with pytest.raises(SlipwayError, match="others can read the key"):
        open_endpoint_to("127.0.0.1", None, (), certificate, key)
    key.chmod(0o600)
    key.write_text("no key", encoding="utf-8")
    with pytest.raises(SlipwayError, match="not a certificate in PEM") as caught:
        open_endpoint_to("127.0.0.1", None, (), certificate, key)
    assert "openssl req -x509" in str(caught.value.fix)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - HOUR)
        .not_valid_after(now + HOUR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.touch(0o600)
    key.write_bytes(pem)
    return certificate, key
