"""Workers: who polls what, and what waits for them."""
