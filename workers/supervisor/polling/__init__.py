"""The polls of an activity: when one may be opened, and how many."""
