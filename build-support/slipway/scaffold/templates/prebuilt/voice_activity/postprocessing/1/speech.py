"""Turn the probabilities of a sequence into the positions where speech begins and ends.

The rules and numbers are those of silero-vad's VADIterator (silero_vad/utils_vad.py).
"""

from dataclasses import dataclass, field

FRAME = 512
"""Samples at 16 kHz that have one probability: 32 ms."""

THRESHOLD = 0.5
"""Speech begins with a frame of this probability or a higher one."""

END_THRESHOLD = THRESHOLD - 0.15
"""It ends where the probability stays below this one."""

SHORTEST_SILENCE = 1600
"""Samples (100 ms) that the probability stays below, until speech has ended."""

PADDING = 480
"""Samples (30 ms) that a stretch of speech is longer at both sides."""


@dataclass
class Speech:
    """What is remembered of a sequence. Positions are in samples from its start."""

    position: int = 0
    speaking: bool = False
    quiet_since: int = 0
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def hear(self, probability: float) -> None:
        """Take the next frame."""
        self.position += FRAME
        if probability >= THRESHOLD:
            self.quiet_since = 0
            if not self.speaking:
                self.speaking = True
                self.begins.append(max(0, self.position - PADDING - FRAME))
        elif probability < END_THRESHOLD and self.speaking:
            self.quiet_since = self.quiet_since or self.position
            if self.position - self.quiet_since >= SHORTEST_SILENCE:
                self.speaking = False
                self.ends.append(self.quiet_since + PADDING - FRAME)
                self.quiet_since = 0

    def close(self, length: int) -> None:
        """End the sequence at ``length`` samples: speech that goes on ends there."""
        if self.speaking:
            self.ends.append(length)

    def take(self) -> tuple[list[int], list[int]]:
        """Return begins and ends since the last call."""
        taken = self.begins, self.ends
        self.begins, self.ends = [], []
        return taken
