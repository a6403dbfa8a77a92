"""Liquidation through the node: touched, reduced through the book, taken over; the same twice."""

from __future__ import annotations

from pathlib import Path

from novate.book.compiled import CompiledExchange
from novate.lab.play.scene import FIRST, INDEX, PERPETUAL, USDC, Node, Scene, open_venue, start_node
from novate.node.archive import Archive
from novate.node.kit import CompiledKit
from novate.node.port import BookFactory, EngineKit
from novate.spec.journal import LiquidationStage
from novate.spec.messages.orders import Quote

DROP_S = 15


def crash(folder: Path, bids: bool, kit: EngineKit | None, book: BookFactory | None) -> Node:
    """A long that is too large for what comes; the price falls step by step."""
    scene = Scene()
    node = (
        start_node(folder, scene.world.state)
        if kit is None or book is None
        else start_node(folder, scene.world.state, kit, book)
    )
    open_venue(scene, node)
    now = FIRST + 20
    scene.report(node.sequencer, now)
    lots = 100_000 * USDC * 5 // INDEX
    acks = node.sequencer.take(
        [scene.order(1, PERPETUAL, -lots, INDEX), scene.order(2, PERPETUAL, lots, INDEX)],
        1_000 * now,
    )
    assert acks[1].filled == lots
    price = INDEX
    for number in range(26):
        now += DROP_S
        price = price * (990 if number < 14 else 1_000) // 1_000
        if bids:
            quote = Quote(PERPETUAL, price - price // 2_000, 4_000, price + price // 20, 4_000)
            node.sequencer.take([scene.sheet(3, (quote,))], 1_000 * (now - 1))
        scene.report(node.sequencer, now - now % 5, price)
        node.sequencer.tick(1_000 * now)
    return node


def stages(archive: Archive, node: Node) -> list[tuple[LiquidationStage, int]]:
    """(stage, account) of every entry in the journals of the sealed batches."""
    found = []
    for number in range(1, node.sequencer.stand().batch + 1):
        [sealed] = archive.batches(number)
        state = archive.state_at(number - 1, sealed.root_before)
        journal = CompiledKit().start(state).apply_data(sealed.data)
        found += [(entry.stage, entry.holder) for entry in journal.liquidations]
    return found


def test_with_bids_the_account_is_reduced_through_the_book(tmp_path: Path) -> None:
    node = crash(tmp_path, True, None, None)
    found = stages(node.archive, node)
    kinds = [stage for stage, _ in found]
    assert kinds[0] == LiquidationStage.STATUS_SET
    assert LiquidationStage.STEP in kinds
    assert {holder for _, holder in found} == {2}
    node.log.close()


def test_without_bids_the_fund_takes_over_when_the_time_for_steps_is_up(tmp_path: Path) -> None:
    node = crash(tmp_path, False, None, None)
    kinds = [stage for stage, _ in stages(node.archive, node)]
    assert kinds[0] == LiquidationStage.STATUS_SET
    assert LiquidationStage.STEP not in kinds
    assert LiquidationStage.TAKEOVER in kinds or LiquidationStage.DELEVERAGE in kinds
    assert node.sequencer.desk.engine.position(2, PERPETUAL) == 0
    node.log.close()


def test_compiled_and_readable_node_write_the_same_log(tmp_path: Path) -> None:
    logs = [
        crash(tmp_path / "readable", True, None, None),
        crash(tmp_path / "compiled", True, CompiledKit(), CompiledExchange),
    ]
    assert logs[0].log.running_hash == logs[1].log.running_hash
    assert logs[0].sequencer.stand() == logs[1].sequencer.stand()
    for node in logs:
        node.log.close()
