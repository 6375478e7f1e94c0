"""Train with Keras and TensorFlow: networks for images and sequences, and a SavedModel."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow


def main(out: Path) -> None:
    """Write four models to ``out``."""
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).random((64, 8, 8, 1), dtype=np.float32)
    labels = (images.mean((1, 2, 3)) > 0.5).astype(int)
    convolution = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="IMAGE"),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    convolution.compile("adam", "sparse_categorical_crossentropy")
    convolution.fit(images, labels, epochs=2, verbose=0)
    convolution.save(out / "keras_convolution.keras")
    convolution.save(out / "keras_convolution_hdf5.h5")
    words = keras.Input((12,), dtype="int32", name="WORDS")
    vectors = keras.layers.Embedding(50, 8)(words)
    states = keras.layers.LSTM(8, return_sequences=True)(vectors)
    seen = keras.layers.MultiHeadAttention(2, 4)(states, states)
    pooled = keras.layers.GlobalAveragePooling1D()(seen)
    sequence = keras.Model(words, keras.layers.Dense(1, activation="sigmoid")(pooled))
    sequence.save(out / "keras_sequence.keras")
    module = tensorflow.Module()
    module.weights = tensorflow.Variable(np.arange(12, dtype=np.float32).reshape(4, 3))

    @tensorflow.function(input_signature=[tensorflow.TensorSpec([None, 4], name="FEATURES")])
    def score(features: tensorflow.Tensor) -> dict[str, tensorflow.Tensor]:
        return {"SCORE": tensorflow.nn.softmax(features @ module.weights)}

    module.score = score
    tensorflow.saved_model.save(module, str(out / "saved_model"), signatures=score)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
