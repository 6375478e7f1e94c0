"""One format a file. Each module has a ``FORMAT``; ``registry.py`` finds them."""
