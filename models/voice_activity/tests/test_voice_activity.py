"""Test what applications rely on; the golden cases hold silero-vad's own answers."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from slipway.testing import InferenceError, Model

FRAME = 512
SENTENCE = np.load(Path(__file__).parent / "cases" / "a_sentence" / "audio.npy")
SILENCE = np.zeros(16000, np.int16)
SPOKEN = ([3616], [46048])  # VADIterator of silero-vad 6.2.3, for SENTENCE
IDS = itertools.count(100)


def hear(model: Model, audio: Any, chunk: int) -> dict[str, Any]:
    """Send ``audio`` as one sequence, in chunks of so many samples; return all answers, joined."""
    chunks = [audio[start : start + chunk] for start in range(0, len(audio), chunk)]
    sequence = next(IDS)
    answers = [
        model(
            {"AUDIO": part},
            {
                "sequence_id": sequence,
                "sequence_start": number == 0,
                "sequence_end": number == len(chunks) - 1,
            },
        )
        for number, part in enumerate(chunks)
    ]
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def spoken(answer: dict[str, Any]) -> tuple[list[int], list[int]]:
    return answer["BEGINS"].tolist(), answer["ENDS"].tolist()


@pytest.mark.parametrize("frames", [1, 7, 1000], ids=["32 ms", "224 ms", "at once"])
def test_a_stream_is_answered_alike_in_chunks_of_any_size(model: Model, frames: int) -> None:
    answer = hear(model, SENTENCE, frames * FRAME)
    assert spoken(answer) == SPOKEN
    assert answer["PROBABILITY"].shape == (-(-len(SENTENCE) // FRAME),)
    whole = hear(model, SENTENCE, 1000 * FRAME)
    np.testing.assert_allclose(answer["PROBABILITY"], whole["PROBABILITY"], atol=1e-6)


def test_a_pause_ends_speech_and_the_next_sentence_begins_it_anew(model: Model) -> None:
    answer = hear(model, np.concatenate([SENTENCE, SILENCE, SENTENCE]), 4 * FRAME)
    # VADIterator of silero-vad 6.2.3
    assert spoken(answer) == ([3616, 67616], [46048, 110048])


def test_silence_and_noise_are_no_speech(model: Model) -> None:
    noise = np.random.default_rng(0).normal(0, 1000, 48000).astype(np.int16)
    for audio in (SILENCE, noise):
        answer = hear(model, audio, 4 * FRAME)
        assert spoken(answer) == ([], [])
        assert answer["PROBABILITY"].max() < 0.5


def test_sequences_that_alternate_do_not_hear_each_other(model: Model) -> None:
    end = 120 * FRAME
    sentence = np.concatenate([SENTENCE, SILENCE])[:end]
    heard: dict[int, list[int]] = {next(IDS): [], next(IDS): []}
    for start in range(0, end, 8 * FRAME):
        for sequence, audio in zip(heard, (sentence, np.zeros_like(sentence)), strict=True):
            parameters = {
                "sequence_id": sequence,
                "sequence_start": start == 0,
                "sequence_end": start + 8 * FRAME == end,
            }
            answer = model({"AUDIO": audio[start : start + 8 * FRAME]}, parameters)
            heard[sequence] += answer["BEGINS"].tolist() + answer["ENDS"].tolist()
    assert list(heard.values()) == [[3616, 46048], []]


def test_an_id_that_starts_again_has_forgotten(model: Model) -> None:
    sequence = next(IDS)
    for _ in range(2):  # never ended
        answer = model(
            {"AUDIO": SENTENCE[: 40 * FRAME]}, {"sequence_id": sequence, "sequence_start": True}
        )
        assert spoken(answer) == ([3616], [])
    last = model({"AUDIO": SENTENCE[:100]}, {"sequence_id": sequence, "sequence_end": True})
    assert last["ENDS"].tolist() == [40 * FRAME + 100]


def test_a_chunk_that_is_not_whole_is_refused_before_the_last(model: Model) -> None:
    with pytest.raises(InferenceError, match="AUDIO has 700 samples: each chunk"):
        model({"AUDIO": SENTENCE[:700]}, {"sequence_id": next(IDS), "sequence_start": True})


def test_a_request_without_a_sequence_is_refused(model: Model) -> None:
    with pytest.raises(InferenceError, match="correlation ID"):
        model({"AUDIO": SENTENCE[:FRAME]})
