"""Where the time of a request goes: the server's part, and each model's."""
