"""The rules of Map states."""

import re
from typing import Any

from workers.machines.validation.place import At

_LABEL_LIMIT = 40
_REFUSED_IN_LABELS = re.compile(r'[\s?*<>{}\[\]:;,\\|^~$#%&`"\x00-\x1f\x7f-\x9f]')
_READS_AND_WRITES = ("ItemReader", "ItemBatcher", "ResultWriter")
_TOLERATES = tuple(f"ToleratedFailure{what}{path}" for what in ("Count", "Percentage") for path in ("", "Path"))


def processor_of(state: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The key under which a Map has its processor, and the processor."""
    key = "ItemProcessor" if "ItemProcessor" in state else "Iterator"
    processor = state.get(key)
    return key, processor if isinstance(processor, dict) else {}


def config_of(state: dict[str, Any]) -> dict[str, Any]:
    """The ProcessorConfig of a Map."""
    config = processor_of(state)[1].get("ProcessorConfig")
    return config if isinstance(config, dict) else {}


def is_distributed(state: dict[str, Any]) -> bool:
    """Whether the iterations of a Map are executions of their own."""
    return config_of(state).get("Mode") == "DISTRIBUTED"


def check_map(state: dict[str, Any], at: At) -> None:
    """Judges a Map beyond its single fields (developer guide, "Distributed mode")."""
    key, _ = processor_of(state)
    config = config_of(state)
    if not is_distributed(state):
        for name in state.keys() & {*_READS_AND_WRITES}:
            at.error("distributed-only", "works only where `Mode` in `ProcessorConfig` is DISTRIBUTED", name)
        for name in state.keys() & {*_TOLERATES, "Label"}:
            at.warning("distributed-only", "counts only where `Mode` in `ProcessorConfig` is DISTRIBUTED", name)
    elif "ExecutionType" not in config:
        at.error("missing-key", "`ExecutionType` is missing: STANDARD or EXPRESS", key, "ProcessorConfig")
    if isinstance(label := state.get("Label"), str):
        _check_label(label, at)


def check_reader(config: dict[str, Any], at: At) -> None:
    """Judges a ReaderConfig (developer guide, "ItemReader")."""
    if config.get("InputType") == "CSV" and "CSVHeaderLocation" not in config:
        at.error("missing-key", "`CSVHeaderLocation` is missing: CSV files need FIRST_ROW or GIVEN")
    if config.get("CSVHeaderLocation") == "GIVEN" and "CSVHeaders" not in config:
        at.error("missing-key", "`CSVHeaders` is missing: with GIVEN the names of the columns stand here")


def _check_label(label: str, at: At) -> None:
    if not 0 < len(label) <= _LABEL_LIMIT:
        at.error("bad-name", f"the label has {len(label)} characters: AWS allows 1 to {_LABEL_LIMIT}", "Label")
    elif found := _REFUSED_IN_LABELS.search(label):
        at.error("bad-name", f"the label holds {found.group()!r}, which AWS refuses", "Label")
    elif label in at.report.labels:
        at.error("duplicate-name", f"another Map has the label {label!r} already: labels are unique", "Label")
    at.report.labels.setdefault(label, at.where)
