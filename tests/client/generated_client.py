# Made by `slipway client m` from the release
# m_1.0.0.tar.gz
# Generate it again when the model's inputs or outputs change; manual changes are then lost.

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slipway.client import Endpoint, Integers, Interface, Numbers, Tensor, Texts, Truths

INTERFACE = Interface(
    max_batch_size=16,
    inputs={
        "IMAGE": Tensor("BYTES", (1,)),
        "image": Tensor("UINT8", (-1, -1, 3), optional=True),
        "class": Tensor("INT64", (1,), optional=True),
        "is.key?": Tensor("BOOL", (), optional=True),
        "self": Tensor("FP16", (2, 2), optional=True),
        "a name that is as long as no name should ever be, but nobody keeps one from writing it": Tensor(
            "FP64",
            (1,),
            optional=True,
        ),
    },
    outputs={
        "SCORE": Tensor("FP32", (1,)),
        'say "hello"\n': Tensor("BYTES", (1,)),
        "a name that is as long as no name should ever be, but nobody keeps one from writing it": Tensor(
            "INT32",
            (-1,),
        ),
    },
)


@dataclass(frozen=True, eq=False)
class MAnswer:
    """The outputs of m; batch is the number of rows."""

    # "SCORE": FP32 [batch, 1]
    score: NDArray[np.float32]

    # 'say "hello"\n': BYTES [batch, 1]
    say_hello: NDArray[np.object_]

    # "a name that is as long as no name should ever be, but nobody keeps one from writing it": INT32 [batch, any]
    a_name_that_is_as_long_as_no_n: NDArray[np.int32]


class MClient:
    """m on an endpoint.

    With ``target``, always that release; else the one that the alias selects.
    """

    def __init__(self, endpoint: Endpoint, *, target: str | None = None) -> None:
        self.model = endpoint.model(
            "m",
            target=target,
            expected=INTERFACE,
        )

    def predict(
        self,
        *,
        # "IMAGE": BYTES [batch, 1]
        image: Texts | NDArray[np.object_],
        # "image": UINT8 [batch, any, any, 3]
        image_2: Integers | NDArray[np.uint8] | None = None,
        # "class": INT64 [batch, 1]
        tensor_class: Integers | NDArray[np.int64] | None = None,
        # "is.key?": BOOL [batch]
        is_key: Truths | NDArray[np.bool_] | None = None,
        # "self": FP16 [batch, 2, 2]
        tensor_self: Numbers | NDArray[np.float16] | None = None,
        # "a name that is as long as no name should ever be, but nobody keeps one from writing it": FP64 [batch, 1]
        a_name_that_is_as_long_as_no_n: Numbers | NDArray[np.float64] | None = None,
        # with a weighted alias, equal keys are answered by the same variant
        key: str | None = None,
    ) -> MAnswer:
        """Invoke the model; see ``slipway.client.Model.predict`` for values and errors.

        1 to 16 rows at once; for one row, the batch may be left out.
        """
        outputs = self.model.predict(
            {
                "IMAGE": image,
                "image": image_2,
                "class": tensor_class,
                "is.key?": is_key,
                "self": tensor_self,
                "a name that is as long as no name should ever be, but nobody keeps one from writing it": a_name_that_is_as_long_as_no_n,
            },
            key=key,
        )
        return MAnswer(
            score=outputs["SCORE"],
            say_hello=outputs['say "hello"\n'],
            a_name_that_is_as_long_as_no_n=outputs[
                "a name that is as long as no name should ever be, but nobody keeps one from writing it"
            ],
        )
