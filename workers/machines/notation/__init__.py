"""The notation: a shorter way to write the Amazon States Language, in YAML, JSON and Python alike."""
