"""Shapley values: what each player of a game adds to what all reach together."""
