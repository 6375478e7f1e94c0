"""The network: a small convolutional texture classifier, in JAX."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Parameters = Mapping[str, jax.Array]

# name, kernel side, stride, output channels
LAYERS = (
    ("conv1", 5, 2, 16),
    ("conv2", 3, 2, 32),
    ("conv3", 3, 2, 48),
    ("conv4", 3, 2, 64),
)
HIDDEN = 32
SCALE = 32.0
"""Grey levels: what a strong texture deviates by; brings the first layer's output near 1."""


def initial(seed: int) -> dict[str, jax.Array]:
    """He-initialised kernels [side, side, in, out] and zero biases."""
    random = np.random.default_rng(seed)
    parameters: dict[str, jax.Array] = {}

    def layer(name: str, shape: tuple[int, ...]) -> None:
        spread = np.sqrt(2 / np.prod(shape[:-1]))
        parameters[name] = jnp.asarray(random.normal(0, spread, shape), jnp.float32)
        parameters[f"{name}_bias"] = jnp.zeros(shape[-1], jnp.float32)

    channels = 3
    for name, side, _, out in LAYERS:
        layer(name, (side, side, channels, out))
        channels = out
    layer("hidden", (2 * channels, HIDDEN))
    layer("score", (HIDDEN, 1))
    return parameters


def first_kernel(parameters: Parameters) -> jax.Array:
    """The first kernel, each of its planes with mean 0: it sees texture, never colour or light."""
    kernel = parameters["conv1"]
    return kernel - kernel.mean(axis=(0, 1), keepdims=True)


def logits(parameters: Parameters, pixels: jax.Array) -> jax.Array:
    """UINT8 [batch, height, width, 3] → FP32 [batch]; above 0 is a screen."""
    x = pixels.astype(jnp.float32) / SCALE
    for name, _, stride, _ in LAYERS:
        kernel = first_kernel(parameters) if name == "conv1" else parameters[name]
        x = jax.lax.conv_general_dilated(
            x, kernel, (stride, stride), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = jax.nn.relu(x + parameters[f"{name}_bias"])
    x = jnp.concatenate([x.mean(axis=(1, 2)), x.max(axis=(1, 2))], axis=-1)
    x = jax.nn.relu(x @ parameters["hidden"] + parameters["hidden_bias"])
    return (x @ parameters["score"] + parameters["score_bias"])[:, 0]


def save(parameters: Parameters, path: Path) -> None:
    """As .npz."""
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in parameters.items()}
    np.savez(path, **arrays)


def read(path: Path) -> dict[str, jax.Array]:
    """The reverse of save."""
    with np.load(path) as stored:
        return {name: jnp.asarray(stored[name]) for name in stored.files}


_logits = jax.jit(logits)


def scores(parameters: Parameters, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """The probability of a screen for each square of pixels, 32 at a time."""
    parts = [
        jax.nn.sigmoid(_logits(parameters, pixels[start : start + 32]))
        for start in range(0, len(pixels), 32)
    ]
    return np.concatenate([np.asarray(part) for part in parts])
