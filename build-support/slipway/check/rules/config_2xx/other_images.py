"""SW275: backends that NVIDIA ships in images of their own."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.check.finding import RuleHit
from slipway.check.model_under_check import ModelUnderCheck
from slipway.check.rule import rule
from slipway.triton.image.backends import OTHER_IMAGES


@rule(
    "SW275",
    "backend-in-another-image",
    reason="the load fails: “unable to find backend library for backend”",
    source="Triton server, build.py (enable_all) of r23.10 to r26.08 and docs/introduction/"
    "compatibility.md; SageMaker's image is made of YY.MM-py3; and seen on 24.10",
)
def backend_in_another_image(model: ModelUnderCheck) -> Iterator[RuleHit]:
    """Find backends that the serving image lacks, because only another image has them."""
    if model.settings.docker_image is not None:
        return  # an image of the user's own may have it
    release = model.settings.triton_release
    for config, message in model.parsed.values():
        pattern = OTHER_IMAGES.get(message.backend)
        # a runtime of Python is looked for among the server's backends only
        has_library = config.has_own_library and not message.runtime.endswith(".py")
        if pattern is None or has_library:
            continue
        image = pattern.format(release=release)
        yield RuleHit(
            config.value_location("backend"),
            f"the image sagemaker-tritonserver:{release}-py3 has no backend {message.backend!r}:"
            f" it is in {image} only",
            f'serve with an image made of that one, and write docker_image = "{image}" below'
            " [triton] in slipway.toml; or use the library from a Python model",
        )
