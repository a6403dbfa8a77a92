"""In which form and by which carrier batches go to L1."""

from __future__ import annotations

from typing import NamedTuple

from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier


class Policy(NamedTuple):
    """In which form and carrier batches go to L1."""

    form: DataForm = DataForm.FULL
    carrier: Carrier = Carrier.CALLDATA
