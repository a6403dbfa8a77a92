"""Roots: updates equal building anew; inclusion proofs hold for what is there and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from novate.lab.law_vectors import without_trees
from novate.spec.commitment import build_trees, commit, update_trees
from novate.spec.crypto import SpecPrimitives
from novate.spec.inclusion import (
    account_is_included,
    instrument_is_included,
    market_is_included,
    prove_account,
    prove_instrument,
    prove_market,
    prove_slots,
    slots_are_included,
    slots_of_group,
)
from novate.spec.messages.batch import Liquidate
from novate.spec.primitives import ZERO_DIGEST, Digest
from novate.spec.state import Roots, Slot, State
from tests.spec.kit import (
    BTC,
    BTC_PERP,
    BTC_PRICE,
    ETH,
    ETH_PERP,
    ETH_PRICE,
    Stage,
    later,
    liquidated_stage,
)


def busy_stage() -> Stage:
    """Two instruments, four accounts with positions, slots in two groups."""
    stage = Stage()
    act = stage.round().prices(BTC)
    high_slot = act.order(3, True, BTC_PRICE, 7, slot=11)
    act.fill(1, 2, BTC_PRICE, 5).fill(high_slot, 4, BTC_PRICE, 7)
    act.fill(4, 1, ETH_PRICE, 9, ETH_PERP)
    stage.play(act)
    return stage


def roots(state: State) -> Roots:
    """The roots remembered with a state."""
    assert state.roots is not None
    return state.roots


def test_an_update_gives_the_trees_of_building_anew() -> None:
    """Also checked after every batch that any test plays, see `Stage.play`."""
    stage = busy_stage()
    state, primitives = stage.state, stage.primitives
    trees = build_trees(state, primitives)
    accounts = {**state.accounts, 2: replace(state.accounts[2], tier=1)}
    slots = {**state.slots, (2, 3): Slot(9, 4), (3, 11): Slot(99, 0)}
    changed = replace(state, accounts=accounts, slots=slots)
    updated = update_trees(trees, changed, [2], [(2, 3), (3, 11)], primitives)
    assert updated == build_trees(changed, primitives)
    assert build_trees(state, primitives) == trees


def test_both_primitives_give_the_same_roots() -> None:
    state = busy_stage().state
    assert commit(without_trees(state), SpecPrimitives()) == roots(state)


def test_every_leaf_moves_the_root() -> None:
    """Each part of the state, changed by one, gives another root."""
    stage = busy_stage()
    state = stage.state
    market = state.markets[BTC]
    instrument = state.instruments[BTC_PERP]
    for changed in (
        {"system": replace(state.system, vault=state.system.vault + 1)},
        {"parameters": replace(state.parameters, overshoot_ppm=1)},
        {"markets": (replace(market, concentration_ppm=1), *state.markets[1:])},
        {"markets": (replace(market, reference=market.reference._replace(mean=1)),) * 2},
        {"markets": (replace(market, fund=replace(market.fund, debt=1)), *state.markets[1:])},
        {"instruments": {**state.instruments, BTC_PERP: instrument._replace(clearing=1)}},
        {"instruments": {**state.instruments, BTC_PERP: instrument._replace(settled=True)}},
        {"accounts": {**state.accounts, 1: replace(state.accounts[1], key_epoch=2)}},
        {"accounts": {**state.accounts, 5: state.accounts[4]}},
        {"slots": {**state.slots, (1, 0): Slot(1, 1)}},
        {"slots": {**state.slots, (1, 15): Slot(1, 0)}},
    ):
        other = commit(without_trees(replace(state, **changed)), stage.primitives)
        assert other.root != roots(state).root
        settlement_moves = other.settlement_root != roots(state).settlement_root
        assert settlement_moves == ("slots" not in changed)


def tampered(path: tuple[Digest, ...]) -> list[tuple[Digest, ...]]:
    """Paths that must not pass for this one."""
    return [path[:-1], (*path, ZERO_DIGEST), path[1:], ((1, 2, 3, 4), *path[1:])]


def test_accounts_are_proved() -> None:
    stage = busy_stage()
    state, primitives = stage.state, stage.primitives
    root, preset = roots(state).settlement_root, state.preset
    for index, account in state.accounts.items():
        proof = prove_account(without_trees(state), index, primitives)
        assert proof == prove_account(state, index, primitives)
        assert account_is_included(root, preset, account, proof, primitives)
        richer = replace(account, cash=account.cash + 1)
        assert not account_is_included(root, preset, richer, proof, primitives)
        for other in (proof.place ^ 1, proof.place + 64, -1):
            wrong = proof._replace(place=other)
            assert not account_is_included(root, preset, account, wrong, primitives)
        for path in tampered(proof.path):
            wrong = proof._replace(path=path)
            assert not account_is_included(root, preset, account, wrong, primitives)
        for place in range(3):
            sections = [*proof.sections]
            sections[place] = ZERO_DIGEST
            wrong = proof._replace(sections=tuple(sections))
            assert not account_is_included(root, preset, account, wrong, primitives)
        assert not account_is_included(roots(state).root, preset, account, proof, primitives)


def test_markets_are_proved() -> None:
    stage = busy_stage()
    state, primitives = stage.state, stage.primitives
    root, preset = roots(state).settlement_root, state.preset
    for underlying in (BTC, ETH):
        market = state.markets[underlying]
        proof = prove_market(state, underlying, primitives)
        assert market_is_included(root, preset, market, proof, primitives)
        indebted = replace(market, fund=replace(market.fund, debt=1))
        assert not market_is_included(root, preset, indebted, proof, primitives)
        wrong = proof._replace(place=1 - underlying)
        assert not market_is_included(root, preset, market, wrong, primitives)
        for path in tampered(proof.path):
            wrong = proof._replace(path=path)
            assert not market_is_included(root, preset, market, wrong, primitives)


@pytest.mark.parametrize("settled", [False, True])
def test_instruments_are_proved(settled: bool) -> None:
    stage = busy_stage()
    if settled:  # closing by factor, with nobody else long, settles the perpetual
        stage = liquidated_stage()
        stage.play(later(stage, Liquidate(1)).fill(3, 4, ETH_PRICE, 2, ETH_PERP))
    state, primitives = stage.state, stage.primitives
    root, preset = roots(state).settlement_root, state.preset
    assert state.instruments[BTC_PERP].settled == settled
    for instrument, leaf in state.instruments.items():
        proof = prove_instrument(state, instrument, primitives)
        assert instrument_is_included(root, preset, leaf, proof, primitives)
        wrong_leaf = leaf._replace(settled=not leaf.settled)
        assert not instrument_is_included(root, preset, wrong_leaf, proof, primitives)
        wrong_leaf = leaf._replace(mark=leaf.mark + 1)
        assert not instrument_is_included(root, preset, wrong_leaf, proof, primitives)
        (open_count, open_root), (settled_count, settled_root) = proof.trees
        for trees in (
            ((open_count + 1, open_root), (settled_count, settled_root)),
            ((open_count, open_root),),
        ):
            wrong = proof._replace(trees=trees)
            assert not instrument_is_included(root, preset, leaf, wrong, primitives)
        for path in tampered(proof.path):
            wrong = proof._replace(path=path)
            assert not instrument_is_included(root, preset, leaf, wrong, primitives)


def test_slots_are_proved() -> None:
    stage = busy_stage()
    state, primitives = stage.state, stage.primitives
    root, preset = roots(state).root, state.preset
    for account, group in ((1, 0), (3, 1)):
        slots = slots_of_group(state, account, group)
        assert any(slots)
        proof = prove_slots(state, account, group, primitives)
        assert slots_are_included(root, preset, slots, proof, primitives)
        newer = (slots[0]._replace(nonce=10**6), *slots[1:])
        assert not slots_are_included(root, preset, newer, proof, primitives)
        for wrong in (
            proof._replace(group=1 - group),
            proof._replace(account=account ^ 1),
            proof._replace(settlement_root=ZERO_DIGEST),
            *(proof._replace(group_path=path) for path in tampered(proof.group_path)),
            *(proof._replace(account_path=path) for path in tampered(proof.account_path)),
        ):
            assert not slots_are_included(root, preset, slots, wrong, primitives)
