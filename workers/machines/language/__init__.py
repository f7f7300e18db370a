"""The small languages inside a definition: paths, intrinsic functions, JSONata."""
