"""Proofs that a leaf is part of a committed state: what somebody shows L1 to leave, or anyone.

A proof is a path in the leaf's tree and the digests that stand beside that tree in the root. Depths
come from the preset, never from the proof: a node must not pass as a leaf.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from novate.spec import layout
from novate.spec.commitment import (
    account_digests,
    build_trees,
    instrument_tree,
    market_digests,
    market_tree,
    roots_of,
    sorted_instruments,
)
from novate.spec.crypto import merkle
from novate.spec.presets import SLOT_GROUP, Preset
from novate.spec.primitives import Digest, Primitives
from novate.spec.state import EMPTY_SLOT, Account, InstrumentState, Market, Slot, State


class Section(IntEnum):
    """The parts of the settlement root, in its order."""

    SYSTEM = 0
    MARKETS = 1
    INSTRUMENTS = 2
    ACCOUNTS = 3


class LeafProof(NamedTuple):
    """That a market, instrument or account is part of a settlement root."""

    place: int
    """Underlying; place among the open or settled instruments; or account index."""
    path: tuple[Digest, ...]
    sections: tuple[Digest, ...]
    """The digests of the four sections; the leaf's own is computed, not read."""
    trees: tuple[tuple[int, Digest], ...] = ()
    """Instruments only: (count, root) of the open and of the settled tree, likewise."""


class SlotProof(NamedTuple):
    """That a group of an account's order slots is part of a root."""

    account: int
    group: int
    group_path: tuple[Digest, ...]
    """Within the account's slots."""
    account_path: tuple[Digest, ...]
    """Among all accounts."""
    settlement_root: Digest


def _sections(state: State, primitives: Primitives) -> tuple[Digest, ...]:
    """The digests of the four sections of a state."""
    trees = state.trees or build_trees(state, primitives)
    roots = state.roots or roots_of(state, trees, primitives)
    return roots.system, roots.markets, roots.instruments, roots.accounts


def prove_market(state: State, underlying: int, primitives: Primitives) -> LeafProof:
    """Proof of one market's leaf."""
    tree = market_tree(state, primitives)
    path = merkle.path(tree, underlying)
    return LeafProof(underlying, path, _sections(state, primitives))


def prove_account(state: State, index: int, primitives: Primitives) -> LeafProof:
    """Proof of one account's leaf."""
    trees = state.trees or build_trees(state, primitives)
    path = merkle.path(trees.accounts, index)
    return LeafProof(index, path, _sections(state, primitives))


def prove_instrument(state: State, instrument: int, primitives: Primitives) -> LeafProof:
    """Proof of an open or settled instrument's leaf; KeyError if it is neither."""
    settled = state.instruments[instrument].settled
    both = tuple(instrument_tree(state, which, primitives) for which in (False, True))
    counts = [len(sorted_instruments(state, which)) for which in (False, True)]
    ids = [leaf.instrument for leaf in sorted_instruments(state, settled)]
    place = ids.index(instrument)
    return LeafProof(
        place,
        merkle.path(both[settled], place),
        _sections(state, primitives),
        tuple((count, merkle.root(tree)) for count, tree in zip(counts, both, strict=True)),
    )


def prove_slots(state: State, account: int, group: int, primitives: Primitives) -> SlotProof:
    """Proof of one group of an account's slots; KeyError if all its slots are empty."""
    trees = state.trees or build_trees(state, primitives)
    return SlotProof(
        account,
        group,
        merkle.path(trees.account_slots[account], group),
        merkle.path(trees.slots, account),
        (state.roots or roots_of(state, trees, primitives)).settlement_root,
    )


def market_is_included(
    root: Digest, preset: Preset, market: Market, proof: LeafProof, primitives: Primitives
) -> bool:
    """Whether the settlement root covers this market as underlying `proof.place`."""
    [leaf] = market_digests([market], primitives)
    if not _fits(proof.place, proof.path, preset.market_depth):
        return False
    section = merkle.root_from_path(leaf, proof.place, proof.path, primitives.compress_many)
    return _settlement_root(proof, Section.MARKETS, section, primitives) == root


def account_is_included(
    root: Digest, preset: Preset, account: Account, proof: LeafProof, primitives: Primitives
) -> bool:
    """Whether the settlement root covers this account as number `proof.place`."""
    [leaf] = account_digests([account], primitives)
    if not _fits(proof.place, proof.path, preset.account_depth):
        return False
    section = merkle.root_from_path(leaf, proof.place, proof.path, primitives.compress_many)
    return _settlement_root(proof, Section.ACCOUNTS, section, primitives) == root


def instrument_is_included(
    root: Digest, preset: Preset, state: InstrumentState, proof: LeafProof, primitives: Primitives
) -> bool:
    """Whether the settlement root covers this instrument, in the tree its settled bit names."""
    [leaf] = primitives.hash_many(layout.INSTRUMENT_TAG, [layout.instrument_elements(state)])
    if not _fits(proof.place, proof.path, preset.instrument_depth) or len(proof.trees) != 2:
        return False
    own = merkle.root_from_path(leaf, proof.place, proof.path, primitives.compress_many)
    elements: list[int] = []
    for settled, (count, other) in enumerate(proof.trees):
        elements += [count, *(own if settled == state.settled else other)]
    [section] = primitives.hash_many(layout.INSTRUMENTS_TAG, [elements])
    return _settlement_root(proof, Section.INSTRUMENTS, section, primitives) == root


def slots_are_included(
    root: Digest, preset: Preset, slots: tuple[Slot, ...], proof: SlotProof, primitives: Primitives
) -> bool:
    """Whether the root covers these slots as group `proof.group` of account `proof.account`."""
    if not _fits(proof.group, proof.group_path, preset.slot_depth):
        return False
    if not _fits(proof.account, proof.account_path, preset.account_depth):
        return False
    compress = primitives.compress_many
    [leaf] = primitives.hash_many(layout.SLOTS_TAG, [layout.slot_group_elements(slots)])
    own = merkle.root_from_path(leaf, proof.group, proof.group_path, compress)
    all_slots = merkle.root_from_path(own, proof.account, proof.account_path, compress)
    elements = [*proof.settlement_root, *all_slots]
    return primitives.hash_many(layout.ROOT_TAG, [elements])[0] == root


def slots_of_group(state: State, account: int, group: int) -> tuple[Slot, ...]:
    """The slots of one group of an account."""
    first = group * SLOT_GROUP
    return tuple(state.slots.get((account, first + k), EMPTY_SLOT) for k in range(SLOT_GROUP))


def _fits(index: int, path: tuple[Digest, ...], depth: int) -> bool:
    """Whether index and path are of a tree of this depth."""
    return len(path) == depth and 0 <= index < 1 << depth


def _settlement_root(
    proof: LeafProof, section: Section, digest: Digest, primitives: Primitives
) -> Digest:
    """The settlement root that follows from the digest of one section and those beside it."""
    digests = [digest if place == section else d for place, d in enumerate(proof.sections)]
    elements = [element for each in digests for element in each]
    return primitives.hash_many(layout.SETTLEMENT_TAG, [elements])[0]
