"""The Amazon States Language as pydantic models: what a definition says, in the form that the engine runs."""
