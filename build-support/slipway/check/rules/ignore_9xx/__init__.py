"""Rules SW901 to SW999: ignore comments."""
