"""The ways in which a handler is called: in the event loop, in a thread, in a process."""
