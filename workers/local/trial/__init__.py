"""TestState: one state run on its own, with a mock in the place of what it calls."""
