"""Any command line as an activity: each task starts the command anew, and its last line is the result."""
