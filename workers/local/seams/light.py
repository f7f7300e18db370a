"""Imports moto's interpreter without EC2, which would cost 100 MB and more than a second.

The interpreter needs one enumeration of `moto.batch.utils`. That module is light, but its package loads Batch, and
with it EC2. So the module is imported as if the package were empty; afterwards the package counts as not imported,
for whoever really uses it. This module must be imported before any other part of the interpreter.
"""

import importlib
import importlib.util
import sys

_PACKAGE = "moto.batch"
_MODULE = "moto.batch.utils"

if _PACKAGE not in sys.modules and (_spec := importlib.util.find_spec(_PACKAGE)):
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(_spec)
    try:
        importlib.import_module(_MODULE)
    finally:
        del sys.modules[_PACKAGE]
