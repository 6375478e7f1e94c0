"""scikit-learn: what a file tells unopened, how it is loaded, and its graph or Python model."""
