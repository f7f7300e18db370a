"""The engine's HTTP/1.1, read by httptools: a framework for the web would take half of the time to start."""
