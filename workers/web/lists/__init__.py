"""Lists of workflows and of executions, and the page that a visit begins with."""
