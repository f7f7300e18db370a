"""The running worker: its life, its pollers, one task's run, heartbeats and reports."""
