"""What can be done from the page: starting, cancelling, resuming, redriving, resolving."""
