"""Definitions and paths: parsed once, evaluated often, by many executions at once."""

from functools import lru_cache
from typing import Any

from moto.stepfunctions.parser.asl.component.common.path import result_path
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.parse import asl_parser, preprocessor
from moto.stepfunctions.parser.asl.utils import json_path

from workers.local.seams.table import replaces, uses


class _Preprocessor(preprocessor.Preprocessor):
    def __init__(self) -> None:
        super().__init__()
        self._query_language_per_scope: list[Any] = []


uses(preprocessor.Preprocessor, "_query_language_per_scope", "the stack of query languages while parsing")
replaces(
    asl_parser,
    "Preprocessor",
    _Preprocessor,
    "moto keeps that stack on the class: a definition that fails to parse leaves its language to the next one",
)
replaces(
    EvalComponent,
    "heap_key",
    property(lambda component: str(id(component))),
    "moto makes the key when it is first used, which two executions of one parsed definition may do at once",
)
for _module in (json_path, result_path):
    replaces(_module, "parse", lru_cache(1024)(_module.parse), "moto parses a JSONPath at each use of it: milliseconds")
