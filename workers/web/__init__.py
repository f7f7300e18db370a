"""The web page: executions of any Step Functions endpoint, and the workflows of the manager."""
