"""Leave out of an environment what a model's tests never import, by a list that people review."""
