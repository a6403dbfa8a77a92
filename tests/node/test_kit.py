"""The node on compiled engine and book, against the same node on specification and reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.book.compiled import CompiledExchange
from novate.lab.play.scene import Scene, open_venue, perform, play, start_node
from novate.lab.play.spec_engine import SpecKit
from novate.node.kit import CompiledKit
from novate.node.port import book_factory, engine_kit
from novate.spec.commitment import commit
from novate.spec.errors import DecodeError


def test_both_nodes_acknowledge_and_log_the_same(tmp_path: Path) -> None:
    acks, hashes, stands = [], [], []
    for name, kit, book in (
        ("readable", SpecKit(), None),
        ("compiled", CompiledKit(), CompiledExchange),
    ):
        scene = Scene()
        node = (
            start_node(tmp_path / name, scene.world.state, kit)
            if book is None
            else start_node(tmp_path / name, scene.world.state, kit, book)
        )
        open_venue(scene, node)
        acks.append([perform(scene, node, group) for group in play(scene, 21, 100)])
        hashes.append(node.log.running_hash)
        stands.append(node.sequencer.stand())
        node.log.close()
        again = start_node(tmp_path / name, scene.world.state, kit, *([book] if book else []))
        assert again.sequencer.stand()[:4] == stands[-1][:4]
        again.log.close()
    assert acks[0] == acks[1]
    assert hashes[0] == hashes[1]
    assert stands[0] == stands[1]


def test_states_survive_the_compiled_kits_bytes() -> None:
    state = Scene().world.state
    kit = CompiledKit()
    again = kit.decode_state(kit.encode_state(state))
    assert again == state
    primitives = Scene().primitives
    assert kit.start(again).roots() == commit(state, primitives)
    with pytest.raises(DecodeError):
        kit.decode_state(kit.encode_state(state) + b"\0")


def test_names_of_a_configuration_are_found() -> None:
    assert isinstance(engine_kit("novate.node.kit:CompiledKit"), CompiledKit)
    assert book_factory("novate.book.compiled:CompiledExchange") is CompiledExchange
    with pytest.raises(ImportError):
        engine_kit("novate.nowhere:Kit")
