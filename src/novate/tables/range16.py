"""All values below 2^16: what every range check looks its limbs up in."""

from __future__ import annotations

from novate.circuit.buses import RANGE, Interaction, receive
from novate.circuit.columns import multiplicity, scan
from novate.circuit.tables import Table

LOG_ROWS = 16
"""The only height at which the table holds exactly 0 … 65,535."""


class Range16(Table):
    """Row k holds k, and how often k is looked up."""

    name = "range16"
    value = scan(0, lambda above: above + 1, bits=16)
    times = multiplicity()

    def messages(self) -> list[Interaction]:
        """The value, as often as it is looked up."""
        return [receive(RANGE, self.times, value=self.value)]
