"""From prompt text to conditioning."""
