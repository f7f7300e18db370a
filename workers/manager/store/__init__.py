"""Where the manager keeps what it knows: one interface, several databases."""
