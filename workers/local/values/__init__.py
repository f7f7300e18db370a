"""Values in definitions, compiled once and evaluated often: paths, intrinsic functions, templates, conditions, JSONata.

Whatever is compiled here becomes a function of a `Scope`. Values are never changed in place, so that they may be
shared between states, branches and histories.
"""
