"""From a workflow definition to the state machine that runs it."""
