"""Check that a split sent each release its share, at every number of requests at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

RISK = 0.01  # a split whose shares are wrong says nothing; one that is fine is seldom doubted
CONCENTRATION = 100.0  # of the mixing law around the weights, in requests


@dataclass(frozen=True)
class SampleRatio:
    """``counts`` of requests for the releases, their ``weights`` in the alias, and the smallest
    risk at which the two contradict each other, looked at any time."""

    counts: tuple[int, ...]
    weights: tuple[float, ...]
    p_value: float

    @property
    def broken(self) -> bool:
        """Whether the counts contradict the weights."""
        return self.p_value < RISK


def check_sample_ratio(counts: Sequence[int], weights: Sequence[float]) -> SampleRatio:
    """Test ``counts`` against ``weights``, which need not add up to 1.

    The test is the mixture of multinomials by a Dirichlet law around the weights (Lindon and Malek
    2022, "Anytime-valid inference for multinomial count data").
    """
    total = sum(weights)
    shares = [weight / total for weight in weights]
    concentrations = [CONCENTRATION * share for share in shares]
    evidence = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + sum(counts))
    for count, share, concentration in zip(counts, shares, concentrations, strict=True):
        evidence += math.lgamma(concentration + count) - math.lgamma(concentration)
        evidence -= count * math.log(share)
    return SampleRatio(tuple(counts), tuple(shares), math.exp(-max(0.0, evidence)))
