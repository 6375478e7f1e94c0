"""Pack packages of pure Python into one zip, from which CPython imports them."""
