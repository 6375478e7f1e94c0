"""Known causes why ONNX and Keras answer differently, as far as the file shows them."""

from __future__ import annotations

from slipway.formats.format import Cause
from slipway.formats.networks.keras_file import KerasFile

RANDOM = ("GaussianNoise", "GaussianDropout", "AlphaDropout", "RandomFlip", "RandomRotation")
SIZES = ("UpSampling2D", "Resizing")


def causes(file: KerasFile) -> tuple[Cause, ...]:
    """Return the causes that layers and types of ``file`` make likely."""
    known = []
    text = str(file.config)
    if "float16" in text:
        known.append(
            Cause(
                "float16 inside: each runtime rounds its sums in another order",
                "--tolerance 0.01, or keras.config.set_dtype_policy('float32') before it is saved",
            )
        )
    names = {part["class_name"] for part in file.parts()}
    if names & set(RANDOM):
        known.append(
            Cause(
                "a layer that draws random numbers is called with training=True in the model",
                "call it without training=True, and save the model again",
            )
        )
    if names & set(SIZES):
        known.append(
            Cause(
                "images are resized: TensorFlow's and ONNX's pixels lie differently",
                "resize in preprocessing, or antialias=False and interpolation='nearest'",
            )
        )
    return tuple(known)
