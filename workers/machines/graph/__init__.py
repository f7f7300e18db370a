"""Pictures of a state machine, and of an execution on it: Mermaid, SVG, a tree in the terminal."""
