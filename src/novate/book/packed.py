"""Requests and events as fixed little-endian records, for numpy.

A request is 56 bytes, an event 64; `OPERATION` and `EVENT` say where each field is. The bytes
between fields are not read, and written as 0. A field that an event's kind does not have is 0:

* of a fill, `order_id`, `account` and `open` are the maker's, `side` is the taker's;
* `reason` is a number whose meaning the exchange that wrote the record knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from novate.book.events import Accepted, Amended, Cancelled, Event, Filled, Rejected
from novate.book.operations import Operation
from novate.book.orders import Side

Records: TypeAlias = NDArray[np.void]
EventFields: TypeAlias = tuple[int, ...]
"""The fields of an EVENT record, in order."""

OPERATION: Final = np.dtype(
    {
        "names": [
            *("kind", "side", "flags", "time_in_force", "self_trade", "now", "account"),
            *("owner_group", "good_till", "instrument", "order_id", "price", "quantity"),
        ],
        "formats": ["u1"] * 5 + ["<u4"] * 4 + ["<u8"] * 2 + ["<i8"] * 2,
        "offsets": [*range(5), 8, 12, 16, 20, 24, 32, 40, 48],
        "itemsize": 56,
    }
)
EVENT: Final = np.dtype(
    {
        "names": [
            *("sequence", "instrument", "order_id", "taker_order_id", "account", "taker_account"),
            *("price", "quantity", "open", "taker_open", "reason", "kind", "side"),
            "kept_priority",
        ],
        "formats": ["<u8"] * 4 + ["<u4"] * 6 + ["<u2"] + ["u1"] * 2 + ["?"],
        "offsets": [0, 8, 16, 24, 32, 36, 40, 44, 48, 52, 56, 58, 59, 60],
        "itemsize": 64,
    }
)
FILLED: Final = 2
"""The kind of a fill; kinds are numbered as `event_of` lists them."""

SIDES: Final = tuple(Side)
FLAGS_MAX: Final = 255


def pack_operations(operations: Iterable[Operation]) -> Records:
    """The records (n,) of requests; ValueError naming a field that does not fit its type.

    Flags of more than 8 bits become 255: the book refuses both for the same reason.
    """
    rows = list(operations)
    records = np.zeros(len(rows), OPERATION)
    for field, column in zip(Operation._fields, zip(*rows, strict=True), strict=False):
        values = list(column)
        if field == "flags":
            values = [flags if 0 <= flags <= FLAGS_MAX else FLAGS_MAX for flags in values]
        try:
            records[field] = values
        except OverflowError:
            raise ValueError(misfit(field, values)) from None
    return records


def misfit(field: str, values: list[int]) -> str:
    """What to say of the first value that does not fit the field."""
    limits = np.iinfo(OPERATION[field])
    place = next(i for i, value in enumerate(values) if not limits.min <= value <= limits.max)
    least, greatest = int(limits.min), int(limits.max)
    return f"record {place}: {field} is {values[place]}, must be from {least} to {greatest}"


def unpack_events(records: Records, reason_name: Callable[[int], str]) -> list[Event]:
    """The events of EVENT records (n,)."""
    return [event_of(fields, reason_name) for fields in records.tolist()]


def event_of(fields: Any, reason_name: Callable[[int], str]) -> Event:
    """The event of a record's fields; they are what a core wrote, so nothing is checked."""
    sequence, instrument, order_id, taker_order_id, account, taker_account = fields[:6]
    price, quantity, left, taker_left, reason, kind, side, kept_priority = fields[6:]
    head = (sequence, instrument)
    match kind:
        case 0:
            terms = (account, order_id, SIDES[side], price, quantity, left)
            return Accepted(*head, *terms, reason_name(reason))
        case 1:
            return Rejected(*head, account, order_id, reason_name(reason))
        case 2:
            parties = (order_id, taker_order_id, account, taker_account, SIDES[side])
            return Filled(*head, *parties, price, quantity, left, taker_left)
        case 3:
            return Cancelled(*head, account, order_id, quantity, reason_name(reason))
        case _:
            terms = (account, order_id, SIDES[side], price, quantity, left)
            return Amended(*head, *terms, bool(kept_priority), reason_name(reason))
