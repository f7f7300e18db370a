"""State machines in an account: registered from their definitions, compared with them, deleted."""
