"""Explanations against exact ones and against shap, in an environment of their own."""
