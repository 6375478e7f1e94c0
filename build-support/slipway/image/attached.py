"""What is attached to an image: its provenance, and the evidence about each of its artifacts.

A document is a manifest of its own whose ``subject`` is the image (opencontainers/image-spec,
manifest.md). An index named after the image's digest lists them all, where tools look in a registry
without the API of referrers (opencontainers/distribution-spec, "Referrers Tag Schema").
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import slipway
from slipway.catalog import journal
from slipway.catalog.origin import Origin
from slipway.image.base import BaseImage
from slipway.image.layout import (
    EMPTY_TYPE,
    INDEX_TYPE,
    MANIFEST_TYPE,
    Descriptor,
    Layout,
    dump,
)
from slipway.image.models import ImageModel
from slipway.release.evidence import envelope, provenance, signing, statement
from slipway.release.evidence.statement import PAYLOAD_TYPE
from slipway.settings import Settings

BUILD_TYPE = "urn:x-slipway:build:image:v1"
ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"
TITLE = "org.opencontainers.image.title"


def attach(
    layout: Layout,
    image: Descriptor,
    models: Sequence[ImageModel],
    base: BaseImage,
    settings: Settings,
    origin: Origin,
) -> tuple[str, Descriptor, int]:
    """Write the documents about ``image``; return name and descriptor of their index, and how many
    there are.

    Raises:
        SlipwayError: the signing key cannot sign.
    """
    payload = _dump_provenance(image, models, base, origin)
    sealed = envelope.seal_envelope(payload, PAYLOAD_TYPE, signing.load_signer(settings))
    documents = [("image.provenance.json", ENVELOPE_TYPE, sealed)]
    for model in models:
        for kind, data in sorted(model.evidence.items()):
            media_type = provenance.SBOM_TYPE if kind == "sbom" else ENVELOPE_TYPE
            ending = "cdx.json" if kind == "sbom" else f"{kind}.json"
            documents.append((f"{model.name}_{model.manifest.version}.{ending}", media_type, data))
    attached = [_attached(layout, image, *document) for document in documents]
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": attached}
    name = str(image["digest"]).replace(":", "-")
    return name, layout.put(dump(index), INDEX_TYPE), len(attached)


def _attached(
    layout: Layout, image: Descriptor, title: str, media_type: str, data: bytes
) -> Descriptor:
    subject = {key: image[key] for key in ("mediaType", "digest", "size")}
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": media_type,
        "config": layout.put(b"{}", EMPTY_TYPE),
        "layers": [layout.put(data, media_type, annotations={TITLE: title})],
        "subject": subject,
        "annotations": {TITLE: title},
    }
    return layout.put(
        dump(manifest), MANIFEST_TYPE, artifactType=media_type, annotations={TITLE: title}
    )


def _dump_provenance(
    image: Descriptor, models: Sequence[ImageModel], base: BaseImage, origin: Origin
) -> bytes:
    """Return the SLSA provenance of the image: the base, and each artifact by its digest."""
    dependencies = [
        {"name": "base", "uri": base.uri, "digest": _sha256(base.digest)},
        *(
            {
                "name": provenance.artifact_name(model.manifest),
                "digest": {"sha256": model.contents.sha256},
                "annotations": {"commit": model.commit or ""},
            }
            for model in models
        ),
    ]
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"models": [model.title for model in models]},
            "resolvedDependencies": dependencies,
        },
        "runDetails": {
            "builder": {
                "id": os.environ.get("CI_SERVER_URL") or provenance.LOCAL_BUILDER,
                "version": {"slipway": slipway.__version__},
            },
            "metadata": {
                "finishedOn": journal.now(),
                **({"invocationId": origin.pipeline} if origin.pipeline else {}),
            },
        },
    }
    digest = str(image["digest"]).removeprefix("sha256:")
    return statement.dump_statement(provenance.TYPE, predicate, "image", digest)


def _sha256(digest: str) -> dict[str, str]:
    return {"sha256": digest.removeprefix("sha256:")}
