"""The configuration: what is wrong is named with field, value and limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.lab.play.scene import Scene
from novate.node.config import Config, read_config, read_genesis, read_secrets, write_genesis
from novate.node.settings import ConfigError
from novate.spec.commitment import commit
from novate.spec.public_data.header import DataForm
from novate.spec.public_data.opening import Carrier

MINIMAL = """
[node]
folder = "data"
genesis = "genesis.json"
[sequencer]
key = "key"
"""


def parsed(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "node.toml"
    path.write_text(text)
    return read_config(path)


def test_defaults_and_paths(tmp_path: Path) -> None:
    config = parsed(tmp_path, MINIMAL)
    assert config.folder == tmp_path / "data"
    assert config.limits.round_age_s == 30
    assert config.limits.drift_ppm == 5_000
    assert config.policy == (DataForm.FULL, Carrier.CALLDATA)
    assert config.node.clock == "system"
    assert config.node.engine == "novate.node.kit:CompiledKit"
    with pytest.raises(ConfigError, match=r"\[oracle\] is missing"):
        config.surface  # noqa: B018
    with pytest.raises(ConfigError, match=r"\[l1\] is missing"):
        config.required_l1  # noqa: B018


@pytest.mark.parametrize(
    "added, message",
    [
        ("round_age_s = 4", r"sequencer.round_age_s = 4 is not in \[5, 300\]"),
        ('round_age_s = "30"', "sequencer.round_age_s = '30' is not of type int"),
        ("round_age_s = true", "sequencer.round_age_s = True is not of type int"),
        ("round_ages = 30", "sequencer.round_ages is unknown; there are key, round_age_s"),
        ('[batcher]\nform = "half"', "batcher.form = 'half' is not one of full, diff"),
        ("[bather]", r"\[bather\] is unknown"),
        ("[oracle]", "oracle.keys is missing"),
        ('[l1]\nrpc = "http://127.0.0.1:1"', "l1.deployment is missing"),
        (
            '[oracle]\nkeys="k"\n[[oracle.market]]\nunderlying=1\n[[oracle.market]]\nunderlying=1',
            r"oracle.market.underlying = \[1, 1\]",
        ),
        (
            '[oracle]\nkeys="k"\n[[oracle.market]]\nsource="recording"',
            "oracle.market.file of underlying 0 is missing",
        ),
        ("= 3", "node.toml"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, added: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parsed(tmp_path, MINIMAL + added)


def test_a_socket_path_that_no_system_takes_is_refused(tmp_path: Path) -> None:
    text = MINIMAL.replace("[sequencer]", f'socket = "{"x" * 120}"\n[sequencer]')
    with pytest.raises(ConfigError, match="max 100"):
        parsed(tmp_path, text)


def test_a_missing_table_or_field_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"node\.folder is missing"):
        parsed(tmp_path, '[sequencer]\nkey = "k"')
    with pytest.raises(ConfigError, match=r"sequencer\.key is missing"):
        parsed(tmp_path, '[node]\nfolder = "d"\ngenesis = "g"')


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("ab" * 32 + "\n0x" + "cd" * 32)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="mode 644: others may read it"):
        read_secrets(path)
    path.chmod(0o600)
    assert len(set(read_secrets(path))) == 2
    for content, message in (("ab" * 31, "31 bytes, min 32"), ("zz", "line 1"), ("", "no key")):
        path.write_text(content)
        with pytest.raises(ConfigError, match=message) as found:
            read_secrets(path)
        assert "abab" not in str(found.value), "no part of a secret is shown"


def test_a_genesis_comes_back_with_its_root(tmp_path: Path) -> None:
    world = Scene().world
    path = tmp_path / "genesis.json"
    write_genesis(path, world.state)
    again = read_genesis(path)
    assert again == world.state
    assert commit(again, world.primitives) == commit(world.state, world.primitives)
    path.write_text(path.read_text().replace('"minimal"', '"medium"'))
    with pytest.raises(ConfigError, match="not a genesis"):
        read_genesis(path)
