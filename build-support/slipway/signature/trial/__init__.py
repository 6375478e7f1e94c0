"""Run a graph on small inputs, to see what its declaration does not say."""
