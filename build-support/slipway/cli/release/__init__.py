"""Commands that release models, and show and compare their releases."""
