"""The benchmark: Hangu and its peers, side by side."""
