"""What a scikit-learn file tells unopened, and how it is loaded."""
