"""What a stand-in was asked, written down as it answers."""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")
Answer = TypeVar("Answer")


def noted(record: list[Value], value: Value, answer: Answer) -> Answer:
    """Append `value` to `record` and return `answer`."""
    record.append(value)
    return answer
