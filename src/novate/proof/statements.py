"""The statements that Novate proves, and the profiles each is proved under."""

from __future__ import annotations

from typing import Final, NamedTuple

from novate.circuit.relation import Relation
from novate.proof.profiles import Profile
from novate.tables import range16, signed_updates
from novate.tables.base_windows import LOG_ROWS as BASE_WINDOWS_LOG_ROWS

TREE_DEPTH: Final = 24
"""Levels of the account tree that `signed_updates` is about: the main preset's."""


def signed_updates_relation() -> Relation:
    """N signed messages by known keys were applied to a tree of accounts."""
    return signed_updates.relation(TREE_DEPTH)


def signed_updates_profile(name: str, log_messages: int, folds: tuple[int, ...]) -> Profile:
    """Heights for 2^log_messages messages of as many keys and accounts, each with its own path.

    A message takes 33 rows of `multiply_key`, 41 of `multiply_base`, 16 of `key_windows`, 7 of
    `poseidon2_12`, and up to 24 of `merkle_update` and 48 of `poseidon2_8`.
    """
    n = log_messages
    return Profile(
        name,
        {
            "range16": range16.LOG_ROWS,
            "poseidon2_8": n + 6,
            "poseidon2_12": n + 3,
            "base_windows": BASE_WINDOWS_LOG_ROWS,
            "key_windows": max(6, n + 4),
            "multiply_key": n + 6,
            "multiply_base": n + 6,
            "signature": max(6, n),
            "merkle_update": n + 5,
            "cancel_all": max(6, n),
            "roots": 6,
        },
        folds,
    )


MINIMAL: Final = signed_updates_profile("minimal", 3, (5, 4, 3, 3))
SMALL: Final = signed_updates_profile("small", 6, (5, 4, 4, 3))
ACCOUNTS_LOG_MAX: Final = 20
"""log2 of the accounts of a batch in `signed_updates_heights`: their numbers are below."""


class Batch(NamedTuple):
    """What fits into a profile's tables."""

    messages: int
    keys: int
    """Of these messages' accounts, all different."""


def signed_updates_heights(batch: Batch) -> dict[str, int]:
    """Heights for any such messages of accounts numbered below 2^20 in the tree of 2^24."""
    messages, keys = batch
    nodes = sum(min(messages, 1 << level) for level in range(ACCOUNTS_LOG_MAX))
    nodes += TREE_DEPTH - ACCOUNTS_LOG_MAX
    rows = {
        "range16": 1 << range16.LOG_ROWS,
        "poseidon2_8": 2 * nodes,
        "poseidon2_12": 7 * messages,
        "base_windows": 1 << BASE_WINDOWS_LOG_ROWS,
        "key_windows": 16 * keys,
        "multiply_key": 33 * messages,
        "multiply_base": 41 * messages,
        "signature": messages,
        "merkle_update": nodes,
        "cancel_all": messages,
        "roots": 1,
    }
    return {name: max(6, (count - 1).bit_length()) for name, count in rows.items()}


BATCHES: Final = {"minimal": Batch(8, 8), "small": Batch(64, 64), "main": Batch(7943, 2048)}
"""Of `signed_updates`, by profile; in that of `main` a key signs four times."""
MAIN: Final = Profile(
    "main",
    signed_updates_heights(BATCHES["main"]),
    folds=(5, 4, 4, 4, 3),
    rates=(5, 8, 11, 14),
    pow_bits=22,
)
"""66,404,416 cells, just under 2^26: one message more would take 2^27."""
SHIPPED: Final = (MINIMAL, SMALL, MAIN)
"""Each has its key in `keys/`."""
