"""The keys of releases: every form that one is configured in, and no word of a secret anywhere."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from moto.kms import utils as moto_kms
from mypy_boto3_kms import KMSClient
from securesystemslib.signer import Key, Signature, Signer

from slipway import settings
from slipway.errors import SlipwayError
from slipway.release.evidence import envelope, evidence, key_pair, signing
from slipway.settings import Settings, Signing
from tests.release.evidence.sample_model import (
    ORIGIN,
    KeyFiles,
    SampleModel,
    create_key_files,
    junit_report,
    pack_sample,
)

KIND = "application/x-test"
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "provenance.md"


@pytest.fixture
def key(tmp_path: Path) -> KeyFiles:
    return create_key_files(tmp_path)


def configured(root: Path, private: str | None, *trusted: Path | str) -> Settings:
    return Settings(root, signing=Signing(private, tuple(map(str, trusted))))


def signed_by(found: Settings) -> tuple[str, ...]:
    """Sign something, and check it with the trusted keys; whose signature was good."""
    sealed = envelope.seal_envelope(b"payload", KIND, signing.load_signer(found))
    opened = envelope.open_envelope(sealed, KIND, signing.load_trusted_keys(found))
    assert opened.wrong == ()
    return opened.signed_by


@pytest.mark.parametrize("form", ["path", "relative", "file2", "pem", "pem in one line", "base64"])
def test_a_private_key_is_taken_in_every_form(key: KeyFiles, tmp_path: Path, form: str) -> None:
    text = key.private.read_text(encoding="utf-8")
    private = {
        "path": str(key.private),
        "relative": key.private.name,
        "file2": f"file2:{key.private}",
        "pem": text,
        "pem in one line": text.replace("\n", "\\n"),
        "base64": base64.b64encode(text.encode()).decode(),
    }[form]
    assert signed_by(configured(tmp_path, private, key.public)) == (key.keyid,)


def test_securesystemslib_s_variable_says_where_its_files_are(
    key: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRYPTO_SIGNER_PATH_PREFIX", str(tmp_path))
    found = configured(tmp_path / "elsewhere", f"file2:{key.private.name}", key.public)
    assert signed_by(found) == (key.keyid,)


@pytest.mark.parametrize(
    "private", [ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)]
)
def test_other_kinds_of_keys_sign_as_well(
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    (tmp_path / "k.pem").write_bytes(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "k.pub").write_bytes(
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    assert len(signed_by(configured(tmp_path, "k.pem", "k.pub"))) == 1


def test_without_a_key_nothing_signs(tmp_path: Path) -> None:
    assert signing.load_signer(configured(tmp_path, None)) is None
    assert signing.load_signer(configured(tmp_path, "")) is None


def test_the_environment_can_say_that_nothing_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slipway.toml").write_text('[signing]\nkey = "awskms:alias/x"\n', encoding="utf-8")
    monkeypatch.setenv("SLIPWAY_SIGNING_KEY", "none")
    assert signing.load_signer(settings.load(tmp_path)) is None


SECRET = "c2VjcmV0LW9mLXRoZS1yZWxlYXNl"


@pytest.mark.parametrize(
    "private",
    [
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n",
        base64.b64encode(f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n".encode()).decode(),
        f"LS0tLS1CRUdJTi{SECRET}!",
        SECRET,
        f"{SECRET}\0",
        f"{SECRET}:{SECRET}",
        SECRET * 300,
    ],
)
def test_an_invalid_key_is_refused_without_quoting_it(tmp_path: Path, private: str) -> None:
    with pytest.raises(SlipwayError, match="no signing key") as caught:
        signing.load_signer(configured(tmp_path, private))
    assert SECRET not in str(caught.value) and caught.value.fix
    assert caught.value.__cause__ is None or SECRET not in str(caught.value.__cause__)


def test_an_encrypted_key_and_one_that_only_agrees_are_refused(tmp_path: Path) -> None:
    locked = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word")
    )
    (tmp_path / "locked.pem").write_bytes(locked)
    with pytest.raises(SlipwayError, match="it is encrypted"):
        signing.load_signer(configured(tmp_path, "locked.pem"))
    agrees = x25519.X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "agrees.pem").write_bytes(agrees)
    with pytest.raises(SlipwayError, match="not a PEM private key that can sign"):
        signing.load_signer(configured(tmp_path, "agrees.pem"))


def test_settings_never_show_a_private_key(
    key: KeyFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slipway.toml").write_text('[signing]\nkey = "awskms:alias/x"\n', encoding="utf-8")
    text = key.private.read_text(encoding="utf-8")
    monkeypatch.setenv("SLIPWAY_SIGNING_KEY", text)
    found = settings.load(tmp_path)
    assert found.signing.key == text.strip()
    assert text.splitlines()[1] not in repr(found)


@pytest.mark.parametrize("form", ["text", "base64"])
def test_a_private_key_in_the_repository_s_settings_is_refused(
    key: KeyFiles, tmp_path: Path, form: str
) -> None:
    text = key.private.read_text(encoding="utf-8")
    said = text if form == "text" else base64.b64encode(text.encode()).decode()
    (tmp_path / "slipway.toml").write_text(f"[signing]\nkey = '''{said}'''\n", encoding="utf-8")
    with pytest.raises(SlipwayError, match="key is neither a URI") as caught:
        settings.load(tmp_path)
    assert text.splitlines()[1] not in str(caught.value)


@pytest.mark.parametrize("trusted", ['"keys/a.pem"', "[1]", "true"])
def test_trusted_is_a_list_of_files(tmp_path: Path, trusted: str) -> None:
    (tmp_path / "slipway.toml").write_text(f"[signing]\ntrusted = {trusted}\n", encoding="utf-8")
    with pytest.raises(SlipwayError, match="trusted is not a list"):
        settings.load(tmp_path)


@pytest.mark.parametrize("content", [None, "", "-----BEGIN PUBLIC KEY-----\nx\n"])
def test_a_trusted_file_that_is_no_public_key_is_named(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "k.pub.pem").write_text(content, encoding="utf-8")
    with pytest.raises(SlipwayError) as caught:
        signing.load_trusted_keys(configured(tmp_path, None, "k.pub.pem"))
    assert caught.value.where == str(tmp_path / "k.pub.pem")


def test_a_private_key_is_not_taken_for_a_public_one(key: KeyFiles, tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="not a public key in PEM"):
        signing.load_trusted_keys(configured(tmp_path, None, key.private))


# -- keys that are elsewhere -----------------------------------------------------------------------


@pytest.fixture
def kms(moto: str, aws: Path, monkeypatch: pytest.MonkeyPatch) -> KMSClient:
    """moto's KMS over HTTP, found as boto3 finds it: by a variable.

    moto 5.2 hashes a message of the type DIGEST once more (its ``verify`` says so), which AWS does
    not: its two ways of signing are replaced by what AWS documents for that type.
    """

    def digest(algorithm: str) -> Prehashed:
        return Prehashed({"256": SHA256, "384": SHA384}[algorithm[-3:]]())

    def sign_ec(self: Any, message: bytes, algorithm: str) -> bytes:
        signed: bytes = self.private_key.sign(message, ec.ECDSA(digest(algorithm)))
        return signed

    def sign_rsa(self: Any, message: bytes, algorithm: str) -> bytes:
        assert algorithm == "RSASSA_PSS_SHA_256"
        padding = PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH)
        signed: bytes = self.private_key.sign(message, padding, digest(algorithm))
        return signed

    monkeypatch.setattr(moto_kms.ECDSAPrivateKey, "sign", sign_ec)
    monkeypatch.setattr(moto_kms.RSAPrivateKey, "sign", sign_rsa)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", moto)
    client: KMSClient = boto3.client("kms")
    return client


@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "ECC_NIST_P384", "RSA_2048"])
def test_a_key_of_kms_signs_and_its_public_half_verifies(
    kms: KMSClient, tmp_path: Path, spec: str
) -> None:
    sample = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)["KeyMetadata"]  # type: ignore[arg-type]
    kms.create_alias(AliasName=f"alias/releases-{spec}", TargetKeyId=sample["KeyId"])
    public = load_der_public_key(kms.get_public_key(KeyId=sample["KeyId"])["PublicKey"])
    (tmp_path / "kms.pub.pem").write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    for name in (sample["KeyId"], sample["Arn"], f"alias/releases-{spec}"):
        assert len(signed_by(configured(tmp_path, f"awskms:{name}", "kms.pub.pem"))) == 1


def test_a_key_of_kms_that_is_not_there_or_cannot_sign_says_what_is_needed(
    kms: KMSClient, tmp_path: Path
) -> None:
    encrypts = kms.create_key()["KeyMetadata"]["KeyId"]
    for name in ("alias/absent", encrypts):
        with pytest.raises(SlipwayError, match=f"cannot sign with awskms:{name}") as caught:
            signing.load_signer(configured(tmp_path, f"awskms:{name}"))
        assert "kms:GetPublicKey" in (caught.value.fix or "")


class Far(Signer):
    """A signer whose key is elsewhere, and which answers ``answer``."""

    def __init__(self, answer: Signature | Exception) -> None:
        self.answer = answer

    @property
    def public_key(self) -> Key:
        raise NotImplementedError

    @classmethod
    def from_priv_key_uri(cls, *arguments: object) -> Far:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_key_that_stops_working_is_a_slipway_error() -> None:
    with pytest.raises(SlipwayError, match="signing failed: it is disabled"):
        envelope.seal_envelope(b"payload", KIND, Far(RuntimeError("it is disabled")))


def test_a_sigstore_bundle_stays_complete_in_the_envelope() -> None:
    # securesystemslib 1.6: SigstoreSigner gives base64, and Envelope.to_dict wants hex
    given = Signature("id", base64.b64encode(b"signature").decode(), {"bundle": {"a": 1}})
    sealed = envelope.seal_envelope(b"payload", KIND, Far(given))
    [properties] = json.loads(sealed)["signatures"]
    assert properties == {"keyid": "id", "sig": "c2lnbmF0dXJl", "bundle": {"a": 1}}
    assert envelope.open_envelope(sealed, KIND, []).signatures == ("id",)


def test_a_signature_that_cannot_be_checked_here_is_not_called_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sigstore.errors", None)
    [key] = signing.load_trusted_keys(configured(tmp_path, None, WHO))
    sealed = envelope.seal_envelope(b"payload", KIND, Far(Signature(key.keyid, "00", {})))
    opened = envelope.open_envelope(sealed, KIND, [key])
    assert opened.signed_by == ()
    assert "cannot be checked: sigstore library required" in opened.wrong[0]


def test_sigstore_needs_to_know_as_whom_it_signs(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="its public key or identity is missing") as caught:
        signing.load_signer(configured(tmp_path, "sigstore:"))
    assert caught.value.fix == "add sigstore:?identity=…&issuer=… to trusted"


WHO = "sigstore:?identity=https%3A%2F%2Fgitlab.example%2Fteam&issuer=https%3A%2F%2Fgitlab.example"


def test_a_missing_sigstore_library_is_an_error_with_the_command_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sigstore.models", None)
    with pytest.raises(SlipwayError, match="cannot sign with sigstore") as caught:
        signing.load_signer(configured(tmp_path, "sigstore:", WHO))
    assert "pip install 'securesystemslib[sigstore]'" in (caught.value.fix or "")


def test_an_identity_of_sigstore_is_a_trusted_key(tmp_path: Path) -> None:
    [key] = signing.load_trusted_keys(configured(tmp_path, None, WHO))
    assert key.keyval == {
        "identity": "https://gitlab.example/team",
        "issuer": "https://gitlab.example",
    }
    with pytest.raises(SlipwayError, match="names no identity and issuer"):
        signing.load_trusted_keys(configured(tmp_path, None, "sigstore:?identity=x"))


def test_an_unknown_scheme_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="does not know the scheme") as caught:
        signing.load_signer(configured(tmp_path, "ftp:key"))
    for scheme in ("awskms", "file2", "gcpkms", "sigstore"):
        assert scheme in (caught.value.fix or "")


def test_a_library_that_is_missing_for_another_scheme_is_named(
    key: KeyFiles, tmp_path: Path
) -> None:
    with pytest.raises(SlipwayError, match="cannot sign with gcpkms") as caught:
        signing.load_signer(configured(tmp_path, "gcpkms:projects/x", key.public))
    assert "securesystemslib[gcpkms]" in (caught.value.fix or "")


# -- making keys -----------------------------------------------------------------------------------


def test_a_new_pair_signs_and_only_its_owner_reads_the_private_half(tmp_path: Path) -> None:
    private, public = tmp_path / "safe" / "k.pem", tmp_path / "repository" / "keys" / "k.pub.pem"
    keyid = key_pair.create_key_pair(private, public, tmp_path / "repository")
    assert signed_by(configured(tmp_path, str(private), public)) == (keyid,)
    assert private.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("there", ["k.pem", "k.pub.pem"])
def test_a_key_is_never_overwritten(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("the only copy", encoding="utf-8")
    with pytest.raises(SlipwayError, match="the file exists already"):
        key_pair.create_key_pair(
            tmp_path / "k.pem", tmp_path / "k.pub.pem", tmp_path / "repository"
        )
    assert [file.read_text(encoding="utf-8") for file in tmp_path.iterdir()] == ["the only copy"]


def test_a_private_key_is_not_written_where_git_would_take_it(tmp_path: Path) -> None:
    with pytest.raises(SlipwayError, match="inside the repository"):
        key_pair.create_key_pair(tmp_path / "keys" / "k.pem", tmp_path / "k.pub.pem", tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert key_pair.create_key_pair(
        tmp_path / ".slipway" / "k.pem", tmp_path / "k.pub.pem", tmp_path
    )


# -- nothing of it in what is written, nothing needed of Slipway to check it ----------------------


def signed_evidence(folder: Path, key: KeyFiles) -> tuple[SampleModel, dict[str, bytes]]:
    sample = pack_sample(folder / "checkout")
    report = folder / "tiny.tests.xml"
    report.write_text(junit_report(sample.artifact.sha256), encoding="utf-8")
    text = key.private.read_text(encoding="utf-8")
    properties = replace(sample.settings, signing=Signing(text))
    found = evidence.collect_evidence(sample.artifact, properties, ORIGIN, [report])
    return sample, {str(kind): document for kind, document in found.items()}


def test_no_part_of_the_private_key_stands_in_the_evidence(key: KeyFiles, tmp_path: Path) -> None:
    _, documents = signed_evidence(tmp_path, key)
    secret = key.private.read_text(encoding="utf-8").splitlines()[1]
    for document in documents.values():
        assert secret.encode() not in document and secret[-24:].encode() not in document


@pytest.mark.skipif(not DOCUMENTATION.is_file(), reason="the documentation is not here")
def test_the_documentation_s_check_without_slipway_works(key: KeyFiles, tmp_path: Path) -> None:
    sample, documents = signed_evidence(tmp_path, key)
    text = DOCUMENTATION.read_text(encoding="utf-8")
    [script] = [block for block in text.split("```python\n")[1:] if "load_pem_public_key" in block]
    script = script.partition("```")[0]
    assert "slipway" not in script
    (tmp_path / "check.py").write_text(script, encoding="utf-8")
    (tmp_path / "provenance.json").write_bytes(documents["provenance"])
    command = [
        sys.executable,
        "check.py",
        str(key.public),
        "provenance.json",
        str(sample.artifact.path),
    ]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = run()
    assert good.returncode == 0, good.stderr
    assert "tiny 1.2.0" in good.stdout and str(ORIGIN.commit) in good.stdout
    with sample.artifact.path.open("ab") as file:
        file.write(b"x")
    assert run().returncode != 0
