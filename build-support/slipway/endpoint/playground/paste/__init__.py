"""The request of the page as code to paste, which sends the same and prints the answer."""
