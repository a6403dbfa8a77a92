"""Commitments of a state: what goes to L1 as two roots, and how a batch moves them.

settlement_root = H(system, markets, instruments, accounts) is all that leaving needs;
root = H(settlement_root, slots root). Trees are kept beside the state and updated, not rebuilt.
"""

from __future__ import annotations

from collections.abc import Iterable

from novate.spec import layout
from novate.spec.crypto import merkle
from novate.spec.crypto.merkle import Tree
from novate.spec.presets import SLOT_GROUP
from novate.spec.primitives import Digest, Primitives
from novate.spec.state import (
    EMPTY_SLOT,
    Account,
    InstrumentState,
    Market,
    Roots,
    Snapshot,
    State,
    Trees,
)


def build_trees(state: State, primitives: Primitives) -> Trees:
    """All trees from scratch."""
    empty = Trees(
        merkle.empty(state.preset.account_depth, primitives.compress_many),
        merkle.empty(state.preset.account_depth, primitives.compress_many),
        {},
    )
    return update_trees(empty, state, state.accounts, state.slots, primitives)


def update_trees(
    trees: Trees,
    state: State,
    accounts: Iterable[int],
    slots: Iterable[tuple[int, int]],
    primitives: Primitives,
) -> Trees:
    """The trees of `state`, given those of a state that differs only in these leaves."""
    changed = sorted(accounts)
    digests = account_digests([state.accounts[index] for index in changed], primitives)
    leaves = dict(zip(changed, digests, strict=True))
    account_slots, roots = _update_slots(trees, state, slots, primitives)
    return Trees(
        merkle.update(trees.accounts, leaves, primitives.compress_many),
        merkle.update(trees.slots, roots, primitives.compress_many),
        account_slots,
    )


def _update_slots(
    trees: Trees, state: State, slots: Iterable[tuple[int, int]], primitives: Primitives
) -> tuple[dict[int, Tree], dict[int, Digest]]:
    """Slot trees of every account, and the roots of those with changed slots."""
    groups = sorted({(account, slot >> 3) for account, slot in slots})
    rows = [_group_elements(state, account, group) for account, group in groups]
    digests = primitives.hash_many(layout.SLOTS_TAG, rows)
    by_account: dict[int, dict[int, Digest]] = {}
    for (account, group), digest in zip(groups, digests, strict=True):
        by_account.setdefault(account, {})[group] = digest
    account_slots = dict(trees.account_slots)
    roots = {}
    for account, leaves in by_account.items():
        tree = account_slots.get(account)
        if tree is None:
            tree = merkle.empty(state.preset.slot_depth, primitives.compress_many)
        account_slots[account] = merkle.update(tree, leaves, primitives.compress_many)
        roots[account] = merkle.root(account_slots[account])
    return account_slots, roots


def _group_elements(state: State, account: int, group: int) -> list[int]:
    """One group of an account's slots."""
    first = group * SLOT_GROUP
    return layout.slot_group_elements(
        [state.slots.get((account, first + k), EMPTY_SLOT) for k in range(SLOT_GROUP)]
    )


def account_digests(accounts: list[Account], primitives: Primitives) -> list[Digest]:
    """Leaf digest of each account."""
    rows = [layout.account_elements(account) for account in accounts]
    return primitives.hash_many(layout.ACCOUNT_TAG, rows)


def market_digests(markets: Iterable[Market], primitives: Primitives) -> list[Digest]:
    """Leaf digest of each market; snapshots enter by their own digests."""
    listed = list(markets)
    snapshots = [s for market in listed for s in _snapshots(market)]
    hashed = primitives.hash_many(
        layout.SNAPSHOT_TAG, [layout.snapshot_elements(snapshot) for snapshot in snapshots]
    )
    rows = []
    for place, market in enumerate(listed):
        digests = hashed[4 * place : 4 * place + 4]
        rows.append(
            [
                *(element for digest in digests for element in digest),
                market.halt.since,
                market.halt.agreeing,
                market.concentration_ppm,
                *layout.fund_elements(market.fund),
            ]
        )
    return primitives.hash_many(layout.MARKET_TAG, rows)


def _snapshots(market: Market) -> tuple[Snapshot, Snapshot, Snapshot, Snapshot]:
    """The four snapshots a market remembers."""
    return market.current, market.reference, market.candidate, market.halt.pending


def market_tree(state: State, primitives: Primitives) -> Tree:
    """The market tree, whole."""
    leaves = dict(enumerate(market_digests(state.markets, primitives)))
    return merkle.build(state.preset.market_depth, leaves, primitives.compress_many)


def instrument_tree(state: State, settled: bool, primitives: Primitives) -> Tree:
    """The tree of open, or of settled, instruments sorted by id, whole."""
    listed = sorted_instruments(state, settled)
    rows = [layout.instrument_elements(instrument) for instrument in listed]
    leaves = dict(enumerate(primitives.hash_many(layout.INSTRUMENT_TAG, rows)))
    return merkle.build(state.preset.instrument_depth, leaves, primitives.compress_many)


def sorted_instruments(state: State, settled: bool) -> list[InstrumentState]:
    """Open or settled instruments, ascending by id."""
    ids = sorted(key for key, value in state.instruments.items() if value.settled == settled)
    return [state.instruments[key] for key in ids]


def instruments_digest(state: State, primitives: Primitives) -> Digest:
    """H(count and root of the open tree, count and root of the settled tree)."""
    elements: list[int] = []
    for settled in (False, True):
        tree = instrument_tree(state, settled, primitives)
        elements += [len(sorted_instruments(state, settled)), *merkle.root(tree)]
    return primitives.hash_many(layout.INSTRUMENTS_TAG, [elements])[0]


def system_digest(state: State, primitives: Primitives) -> Digest:
    """The system leaf's digest."""
    parameters = layout.parameters_elements(state.parameters)
    digest = primitives.hash_many(layout.PARAMETERS_TAG, [parameters])[0]
    elements = layout.system_elements(state.system, digest)
    return primitives.hash_many(layout.SYSTEM_TAG, [elements])[0]


def roots_of(state: State, trees: Trees, primitives: Primitives) -> Roots:
    """All commitments of a state whose trees are at hand."""
    system = system_digest(state, primitives)
    markets = merkle.root(market_tree(state, primitives))
    instruments = instruments_digest(state, primitives)
    accounts = merkle.root(trees.accounts)
    slots = merkle.root(trees.slots)
    elements = [*system, *markets, *instruments, *accounts]
    settlement = primitives.hash_many(layout.SETTLEMENT_TAG, [elements])[0]
    root = primitives.hash_many(layout.ROOT_TAG, [[*settlement, *slots]])[0]
    return Roots(system, markets, instruments, accounts, slots, settlement, root)


def commit(state: State, primitives: Primitives) -> Roots:
    """All commitments of a state from scratch."""
    return roots_of(state, build_trees(state, primitives), primitives)
