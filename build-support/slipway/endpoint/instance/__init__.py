"""One instance of an endpoint: the server, and the models on it."""
