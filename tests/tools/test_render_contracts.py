"""Constants for Solidity: offsets and lengths are those of real encodings, tables unpack again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from novate.spec.crypto import poseidon2
from novate.spec.messages.inbox import ForcedLiquidation, FundDeposit, RegisterKey, Request
from novate.spec.public_data.codec import encode
from novate.spec.public_data.header import DataForm, Header, encode_header
from novate.spec.public_data.requests import REQUEST
from tools import render_contracts

OUTPUT = Path(__file__).resolve().parents[2] / "contracts" / "src" / "rendered"
ZERO = (0, 0, 0, 0)
HEADER = Header(1, DataForm.FULL, False, 0, 0, 0, 0, 0, 0, ZERO, ZERO, ZERO, ZERO, ZERO)


def constants(text: str) -> dict[str, str]:
    """Name and value of every constant of a Solidity file."""
    found = re.findall(r"constant (\w+) =\s+([^;]+);", text)
    return dict(found)


def test_offsets_are_where_a_header_changes() -> None:
    offsets = constants(render_contracts.header_layout())
    before = encode_header(HEADER)
    for name in HEADER._fields[1:]:
        changed: object = (1, 0, 0, 0)
        if not isinstance(getattr(HEADER, name), tuple):
            changed = DataForm.DIFF if name == "form" else 1
        after = encode_header(HEADER._replace(**{name: changed}))
        first = next(k for k, (a, b) in enumerate(zip(before, after, strict=True)) if a != b)
        width = {"number": 4, "time": 4, "fork": 4, "venue_epoch": 4}.get(name, 1)
        width = 8 if name.startswith("inbox") else width
        # integers are big-endian, so 1 changes their last byte; digests begin with their lowest
        assert first == int(offsets[name.upper()]) + width - 1, name
    assert int(offsets["BYTES"]) == len(before)


@pytest.mark.parametrize(
    "request_",
    [FundDeposit(1, 2, 3), RegisterKey(1, 2, (1, 2, 3, 4, 5)), ForcedLiquidation(4)],
    ids=lambda request: type(request).__name__,
)
def test_lengths_are_those_of_encodings(request_: Request) -> None:
    data = encode(REQUEST, request_)
    assert render_contracts.request_lengths()[data[0]] == len(data)


def test_kinds_are_named_in_order() -> None:
    names = constants(render_contracts.public_data_layout())
    kinds = [render_contracts.kind_name(kind) for kind, _ in REQUEST.cases]
    assert kinds[0] == "DEPOSIT"
    assert kinds[5] == "FORCED_CLOSE"
    assert [int(names[kind]) for kind in kinds] == list(range(8))


@pytest.mark.parametrize(
    ("parameters", "bits"), [(poseidon2.WIDTH_8, 128), (poseidon2.WIDTH_12, 80)]
)
def test_round_constants_unpack_again(parameters: poseidon2.Parameters, bits: int) -> None:
    words = render_contracts.round_words(parameters, bits)
    width, mask = parameters.width, (1 << bits) - 1
    assert len(words) == 4 * 8 + 22
    assert tuple(words[16:38]) == parameters.partial
    for number, row in enumerate((*parameters.first_full, *parameters.last_full)):
        start = 4 * number + (22 if number >= 4 else 0)
        unpacked = [words[start + k % 4] >> bits * (k // 4) & mask for k in range(width)]
        assert tuple(unpacked) == row


def test_what_is_committed_is_what_is_rendered() -> None:
    files = render_contracts.render()
    assert {path.name for path in OUTPUT.iterdir()} >= set(files)
    for name, text in files.items():
        assert (OUTPUT / name).read_text() == text, name
        assert max(map(len, text.split("\n"))) <= 100


def test_a_changed_file_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {"A.sol": "a\n", "B.sol": "b\n"}
    write = render_contracts.write_or_compare
    assert write(tmp_path, files, check=False, program="p") == 0
    assert write(tmp_path, files, check=True, program="p") == 0
    (tmp_path / "A.sol").write_text("other\n")
    (tmp_path / "C.sol").write_text("// Rendered by p once, no longer\n")
    (tmp_path / "D.sol").write_text("// somebody else's\n")
    assert write(tmp_path, files, check=True, program="by p") == 1
    errors = capsys.readouterr().err
    assert "A.sol differs" in errors
    assert "C.sol differs" in errors
    assert "D.sol" not in errors
    assert write(tmp_path, files, check=False, program="by p") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["A.sol", "B.sol", "D.sol"]
    assert write(tmp_path, files, check=True, program="by p") == 0
