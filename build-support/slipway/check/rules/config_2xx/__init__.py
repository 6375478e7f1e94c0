"""Rules SW201 to SW299: configurations."""
