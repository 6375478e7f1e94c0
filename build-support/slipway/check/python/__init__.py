"""The Python code of models: its syntax, names, imports and calls."""
