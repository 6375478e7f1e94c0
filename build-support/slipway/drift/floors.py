"""The smallest values of statistics that matter, however sure they are."""

from __future__ import annotations

PSI, WASSERSTEIN, MISSING = "psi", "wasserstein", "missing"
OUT_OF_RANGE, UNSEEN = "out_of_range", "unseen"
FLOORS = {
    PSI: 0.1,  # below it, credit scoring calls a population stable
    WASSERSTEIN: 0.1,  # spreads of the reference
    MISSING: 0.02,  # more of the rows than in the reference
    OUT_OF_RANGE: 0.02,
    UNSEEN: 0.02,
}
