"""Fit the network to frames: AdamW, cosine schedule, random crops and flips."""

import sys
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import network
import numpy as np
import numpy.typing as npt
import optax  # type: ignore[import-untyped]
from dataset import Frames
from params import Train


def fit(frames: Frames, settings: Train) -> network.Parameters:
    """The parameters after settings.epochs; the same for the same frames, settings and machine."""
    random = np.random.default_rng(settings.seed)
    steps = settings.epochs * settings.crops * (len(frames.screen) // settings.batch)
    optimiser = optax.adamw(
        optax.warmup_cosine_decay_schedule(0, settings.learning_rate, steps // 20, steps),
        weight_decay=settings.weight_decay,
    )
    parameters: network.Parameters = network.initial(settings.seed)
    state = optimiser.init(parameters)

    def loss(parameters: network.Parameters, pixels: jax.Array, screen: jax.Array) -> jax.Array:
        logits = network.logits(parameters, pixels)
        losses: jax.Array = optax.sigmoid_binary_cross_entropy(logits, screen.astype(jnp.float32))
        return losses.mean()

    @partial(jax.jit, donate_argnums=(0, 1))
    def step(
        parameters: network.Parameters, state: Any, pixels: jax.Array, screen: jax.Array
    ) -> tuple[network.Parameters, Any, jax.Array]:
        value, gradient = jax.value_and_grad(loss)(parameters, pixels, screen)
        updates, state = optimiser.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, value

    for epoch in range(settings.epochs):
        losses = []
        for _ in range(settings.crops):
            order = random.permutation(len(frames.screen))
            for start in range(0, len(order) - settings.batch + 1, settings.batch):
                chosen = order[start : start + settings.batch]
                pixels = jnp.asarray(_crops(frames.squares[chosen], settings.crop, random))
                screen = jnp.asarray(frames.screen[chosen])
                parameters, state, value = step(parameters, state, pixels, screen)
                losses.append(value)
        print(f"epoch {epoch + 1}: loss {float(jnp.stack(losses).mean()):.4f}", file=sys.stderr)
    return parameters


def _crops(
    squares: npt.NDArray[np.uint8], side: int, random: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """One crop of each square, flipped at random."""
    room = squares.shape[1] - side + 1
    batch = np.empty((len(squares), side, side, 3), dtype=np.uint8)
    for index, square in enumerate(squares):
        top, left = random.integers(room, size=2)
        crop = square[top : top + side, left : left + side]
        if random.random() < 0.5:
            crop = crop[::-1]
        if random.random() < 0.5:
            crop = crop[:, ::-1]
        if random.random() < 0.5:
            crop = crop.swapaxes(0, 1)
        batch[index] = crop
    return batch
