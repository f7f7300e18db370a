"""Status changes of executions, from EventBridge through a queue: made, taken, proved."""
