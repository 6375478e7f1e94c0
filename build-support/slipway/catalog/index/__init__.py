"""What each name serves, by one listing and one object: never the truth, and compared with it."""
