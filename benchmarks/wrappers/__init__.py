"""The sample model as it would be served without Triton, in good faith."""
