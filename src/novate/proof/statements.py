"""The statements that Novate proves, and the profiles each is proved under."""

from __future__ import annotations

from typing import Final

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

    A message takes 33 rows of `multiply_key`, 81 of `multiply_base`, 16 of `key_windows`, 8 of
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
            "multiply_base": n + 7,
            "signature": max(6, n),
            "merkle_update": n + 5,
            "cancel_all": max(6, n),
            "roots": 6,
        },
        folds,
    )


MINIMAL: Final = signed_updates_profile("minimal", 3, (6, 4, 4))
SMALL: Final = signed_updates_profile("small", 6, (6, 4, 4, 4))
"""Heights double for every doubling of messages; `main` is sized by the tables of the whole law."""
