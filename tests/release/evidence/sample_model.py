"""Create the parts of evidence: a small artifact, test reports about it, and keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer import CryptoSigner

from slipway import settings
from slipway.artifact.artifact import Artifact
from slipway.catalog.origin import Origin
from slipway.settings import Settings, Signing
from tests.artifact.samples import packed, write_environment, write_model

ORIGIN = Origin("0" * 39 + "7", "https://gitlab.example/team/models/-/pipelines/7", "dev")


@dataclass(frozen=True)
class KeyFiles:
    """A key pair's two files, and its id."""

    private: Path
    public: Path
    keyid: str


@dataclass(frozen=True)
class SampleModel:
    """The artifact of the model ``tiny``, and the settings of its repository."""

    artifact: Artifact
    settings: Settings

    def signed(self, key: KeyFiles | None, trusted: Sequence[KeyFiles] = ()) -> Settings:
        """Return the settings with these keys."""
        private = None if key is None else str(key.private)
        return replace(
            self.settings, signing=Signing(private, tuple(str(t.public) for t in trusted))
        )


def pack_sample(root: Path) -> SampleModel:
    """Pack the model below ``root``, which becomes its repository."""
    artifact = packed(write_model(root), write_environment(root / "environment"))
    return SampleModel(artifact, settings.load(root))


def create_key_files(folder: Path, name: str = "releases") -> KeyFiles:
    """Create an ed25519 key pair."""
    folder.mkdir(parents=True, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    signer = CryptoSigner(key)
    files = KeyFiles(
        folder / f"{name}.pem", folder / f"{name}.pub.pem", str(signer.public_key.keyid)
    )
    files.private.write_bytes(signer.private_bytes)
    files.public.write_bytes(
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return files


CONTRACT = '<testcase classname="models.tiny" name="contract" time="1.5"/>'
OWN = '<testcase classname="models.tiny.tests.test_tiny" name="test_a" time="0.5"/>'
FAILED = OWN.replace("/>", '><failure message="no">no</failure></testcase>')
COMPLETE = '<property name="slipway.complete" value="true"/>'


def junit_report(sha256: str, *cases: str, properties: str = COMPLETE, model: str = "tiny") -> str:
    """Return a report like the plugin's; without ``cases``, of a complete run that passed."""
    return (
        '<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite'
        f' name="pytest" errors="0" failures="0" skipped="0" tests="{len(cases)}" time="2.000"'
        ' timestamp="2026-01-02T03:04:05.000006+00:00" hostname="here"><properties>'
        f'<property name="slipway.model" value="{model}"/>'
        f'<property name="slipway.artifact.sha256" value="{sha256}"/>'
        '<property name="slipway.server" value="Triton 2.51.0 (release 24.10), from PATH"/>'
        f'{properties}</properties>{"".join(cases or (OWN, CONTRACT))}</testsuite></testsuites>'
    )
