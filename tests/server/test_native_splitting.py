"""Outputs are split as NVIDIA's ONNX Runtime backend splits them (2a.2, 2a.3)."""

from __future__ import annotations

import numpy as np
import pytest

from slipway.server.backend_parts.splitting import NO_OFFSETS, scatter, split

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)
TEXT = np.array([["a", "b"], ["c", "d"]], dtype=np.object_)


def test_rows_beyond_the_requests_are_cut_in_silence() -> None:
    assert split("Y", ROWS, [2], [1])[0].tolist() == [[0, 1]]  # type: ignore[union-attr]
    parts = split("Y", ROWS, [2], [1, 1])
    assert [part.tolist() for part in parts if isinstance(part, np.ndarray)] == [[[0, 1]], [[2, 3]]]


def test_a_request_without_rows_fails_and_those_before_it_do_not() -> None:
    first, second = split("Y", ROWS, [2], [2, 2])
    assert isinstance(first, np.ndarray) and len(first) == 2
    assert "expected batch size of at least 4 in model output, got 3" in str(second)


def test_a_scalar_has_the_dims_of_the_config() -> None:
    scalar = np.array(7, np.float32)
    assert [str(part) for part in split("Y", scalar, [1], None)] == ["[7.]"]
    assert isinstance(split("Y", scalar, [1], [2])[0], ValueError)
    with pytest.raises(ValueError, match="Failed to find the scalar output dimension for STATE"):
        split("STATE", scalar, None, [1])


def test_text_is_split_by_elements_and_text_beyond_them_ends_nvidias_server() -> None:
    whole, missing = split("Y", TEXT, [2], [2, 1])
    assert isinstance(whole, np.ndarray) and whole.tolist() == TEXT.tolist()
    assert "which ends the whole server" in str(missing)


def test_text_without_dimensions_fails_every_request() -> None:
    with pytest.raises(ValueError, match=NO_OFFSETS):
        split("Y", np.array("abc", dtype=np.object_), [1], None)


def test_a_batch_output_takes_each_requests_own_shape() -> None:
    parts = scatter("Y", np.arange(5), [-1, -1], [(1, 3), (1, 2)])
    assert [part.tolist() for part in parts if isinstance(part, np.ndarray)] == [
        [[0, 1, 2]],
        [[3, 4]],
    ]
    assert isinstance(scatter("Y", np.arange(2), [-1, -1], [(1, 3)])[0], ValueError)
