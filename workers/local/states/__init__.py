"""The types of states, one file each: compiled from the model, run on a branch."""
