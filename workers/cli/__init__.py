"""The command line: one file a command group, and no logic in any of them."""
