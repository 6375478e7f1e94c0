"""Why a model gave an answer, by asking it only."""
