"""Reads answers with long lists faster than botocore alone: of a thousand events of a history, or executions.

Botocore walks every value of an answer along the model of its shape, and makes local times. These lists need neither:
only the times in them are more than what JSON has already made of it.
"""

from datetime import UTC, datetime
from typing import Any

from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory
from aiobotocore.session import AioSession
from botocore.utils import parse_timestamp

_TIMES = {"HistoryEventList": ("timestamp",), "ExecutionList": ("startDate", "stopDate", "redriveDate")}
"""What is a time in the items of a list, by the name of its shape."""


def read_faster(session: AioSession) -> None:
    """Lets the clients that `session` will make read answers so."""
    factory = _Factory()
    factory.set_parser_defaults(timestamp_parser=_time)
    session.register_component("response_parser_factory", factory)


class _Parser(AioJSONParser):  # type: ignore[misc]  # aiobotocore has no types
    def _handle_list(self, shape: Any, node: list[Any]) -> list[Any]:
        if times := _TIMES.get(shape.name):
            return [
                {name: _time(value) if name in times else value for name, value in item.items() if value is not None}
                for item in node
            ]
        found: list[Any] = super()._handle_list(shape, node)
        return found


class _Factory(AioResponseParserFactory):  # type: ignore[misc]
    def create_parser(self, protocol_name: str) -> Any:
        """The parser of a protocol; Step Functions speaks `json`."""
        return _Parser(**self._defaults) if protocol_name == "json" else super().create_parser(protocol_name)


def _time(value: Any) -> datetime:
    """A time in UTC."""
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    parsed: datetime = parse_timestamp(value)
    return parsed
