"""What a history tells: its events, which visit of which state each belongs to, and how it stands with each state."""
