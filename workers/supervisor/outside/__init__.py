"""What a worker shows of itself while it lives: probes, metrics, running tasks with their stacks, ECS."""
