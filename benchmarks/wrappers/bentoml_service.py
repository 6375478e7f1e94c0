"""The same in BentoML, two workers. Adaptive batching is off, as by default."""

from typing import Annotated

import bentoml
from bentoml.validators import ContentType

from benchmarks.wrappers.predictor import Predictor


@bentoml.service(name="screen_detection", workers=2, logging={"access": {"enabled": False}})
class ScreenDetection:
    """Scores photographs."""

    def __init__(self) -> None:
        self.predictor = Predictor()

    @bentoml.api(route="/predict")  # type: ignore[untyped-decorator]
    def predict(
        self, photograph: Annotated[bytes, ContentType("image/jpeg")], /
    ) -> dict[str, object]:
        """Score the photograph in the body."""
        answer = self.predictor(photograph)
        return {"score": answer.score, "label": answer.label}
