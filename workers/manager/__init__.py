"""The workflow manager: definitions with versions, workflows with their jobs, queues, and the service around them."""
