"""Stage: scikit-learn's 1,797 scanned digits → digits.keras, rows.npz and metrics.json.

The rows are test images, which the training has not seen; conversions are compared on them.
"""

import json
import os
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_DETERMINISTIC_OPS"] = "1"

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
MODEL = HERE / "digits.keras"
SEED, EPOCHS, ROWS = 7, 40, 100


def network() -> keras.Model:
    """Return a network for images of 8×8 pixels, of 0 to 16."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Rescaling(1 / 16),
            layers.Conv2D(16, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(16, 3, activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def main() -> None:
    keras.utils.set_random_seed(SEED)
    images, digits = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8, 1).astype("float32")
    x, x_test, y, y_test = train_test_split(
        images, digits, test_size=0.25, random_state=SEED, stratify=digits
    )
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=EPOCHS, batch_size=64, verbose=0)
    right = model.predict(x_test, verbose=0).argmax(1) == y_test
    linear = LogisticRegression(max_iter=5000).fit(x.reshape(len(x), -1), y)
    metrics = {
        "accuracy": round(float(right.mean()), 4),
        "test_images": len(y_test),
        "accuracy_of_a_linear_model": round(
            linear.score(x_test.reshape(len(x_test), -1), y_test), 4
        ),
    }
    # without the optimizer, which serving does not need
    bare = keras.models.clone_model(model)
    bare.set_weights(model.get_weights())
    bare.save(MODEL)
    np.savez_compressed(HERE / "rows.npz", image=x_test[:ROWS])
    (HERE / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")


if __name__ == "__main__":
    main()
