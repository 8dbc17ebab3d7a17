"""Text: counting as networks count, and fitting. Pure."""
