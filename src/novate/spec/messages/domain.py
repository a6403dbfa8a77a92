"""The domain of every signature: which venue, which life of it, which life of the account.

A digest is H(kind tag, domain ‖ fields), so a message of one kind, chain, contract, fork or epoch
never passes for another.
"""

from __future__ import annotations

from typing import NamedTuple

from novate.spec.bounds import GOLDILOCKS

VERSION = 1
"""Version of the message formats."""


class Domain(NamedTuple):
    """Chain id, settlement contract (L1 address), format version, L1 fork, venue epoch."""

    chain_id: int
    settlement_contract: int
    version: int
    fork: int
    venue_epoch: int

    def elements(self, epoch: int) -> tuple[int, ...]:
        """Field elements of this domain with an account's epoch: eight of them."""
        return (
            self.chain_id,
            *address_elements(self.settlement_contract),
            self.version,
            self.fork,
            self.venue_epoch,
            epoch,
        )


def address_elements(address: int) -> tuple[int, int, int]:
    """A 160-bit L1 address as limbs of 56, 56 and 48 bits, lowest first."""
    low = address & (2**56 - 1)
    middle = (address >> 56) & (2**56 - 1)
    return low, middle, address >> 112


def signed_element(value: int) -> int:
    """A signed integer, |value| < p/2, as a field element: value mod p."""
    return value % GOLDILOCKS
