"""Render `contracts/src/rendered/*.sol`: what Solidity takes from the specification as constants.

    HeaderLayout          where each field of the 195 bytes of a header begins
    PublicDataLayout      limits, kinds and lengths of requests, tags, widths, the field of z
    LeafLayout            tags and sizes of state leaves, depths of their trees
    Poseidon2Constants    round constants and diagonals

`render_contract_fixtures.py` renders the values that the forge tests compare with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from novate.spec import bounds, layout, presets
from novate.spec.crypto import poseidon2, sponge
from novate.spec.crypto.poseidon2 import Parameters
from novate.spec.instruments import ID_BITS
from novate.spec.journal import RequestOutcome
from novate.spec.public_data import blob, opening, withdrawals
from novate.spec.public_data.codec import Enumerated, Flag, KeyCodec, Record, Unsigned
from novate.spec.public_data.header import HEADER, HEADER_BYTES, DataForm
from novate.spec.public_data.requests import REQUEST
from novate.spec.state import NEVER_OPENED

OUTPUT = Path(__file__).resolve().parents[1] / "contracts" / "src" / "rendered"
HEAD = """// Rendered by tools/render_contracts.py from the specification. Do not edit.
// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
"""
LANE_BITS_12 = 80
"""Three lanes a word at width 12: an element, times 28 for the linear layer twice, is < 2^74."""
LANE_BITS_8 = 128

SCALAR_FIELD = f"""
/// @dev The modulus of z and y. Not in the library: assembly takes only constants of the file.
uint256 constant SCALAR_FIELD =
    {hex(blob.MODULUS)};
"""

Constant = tuple[str, str, str]
"""Solidity type, name, value as Solidity writes it."""


def library(name: str, about: str, constants: Iterable[Constant]) -> str:
    """A library of internal constants."""
    lines = []
    for kind, label, value in constants:
        line = f"    {kind} internal constant {label} = {value};"
        lines.append(line if len(line) <= 100 else line.replace(" = ", " =\n        "))
    return f"{HEAD}\n/// @notice {about}\nlibrary {name} {{\n" + "\n".join(lines) + "\n}\n"


def number(name: str, value: int) -> Constant:
    """An unsigned constant; decimal when short."""
    return "uint256", name, str(value) if value < 1_000_000 else hexadecimal(value)


def hexadecimal(value: int) -> str:
    """A number in whole bytes: Solidity takes some odd numbers of digits for addresses."""
    return f"0x{value.to_bytes((value.bit_length() + 7) // 8, 'big').hex()}"


def word(name: str, value: bytes) -> Constant:
    """A constant of 32 bytes."""
    return "bytes32", name, f"0x{value.hex()}"


def upper(name: str) -> str:
    """A Python name as a Solidity constant's."""
    return name.upper()


def width_of(codec: object) -> int:
    """Bytes of a field of fixed width."""
    match codec:
        case Unsigned(width=width):
            return width
        case Enumerated() | Flag():
            return 1
        case KeyCodec():
            return 40
        case Record(fields=fields):
            return sum(width_of(field) for _, field in fields)
    return 32  # a digest


def header_layout() -> str:
    """Offsets of the header's fields."""
    constants, offset = [number("BYTES", HEADER_BYTES)], 0
    assert isinstance(HEADER, Record)
    for name, codec in HEADER.fields:
        constants.append(number(upper(name), offset))
        offset += width_of(codec)
    assert offset == HEADER_BYTES, offset
    constants += [number(f"FORM_{form.name}", form) for form in DataForm]
    about = "Where each field of a batch's header begins, and the values of its form."
    return library("HeaderLayout", about, constants)


def request_lengths() -> list[int]:
    """Bytes of a request of each kind, the kind's byte included."""
    return [1 + width_of(codec) for _, codec in REQUEST.cases]


def kind_name(kind: type) -> str:
    """ForcedClose as FORCED_CLOSE."""
    return "".join(f"_{c}" if c.isupper() else c for c in kind.__name__).strip("_").upper()


def public_data_layout() -> str:
    """Constants of the requests, the payments and the opening."""
    lengths = request_lengths()
    constants = [
        number("ACCOUNT_LIMIT", 1 << 24),
        number("AMOUNT_LIMIT", bounds.AMOUNT_MAX + 1),
        number("UNDERLYING_LIMIT", 1 << 8),
        number("INSTRUMENT_LIMIT", 1 << ID_BITS),
        number("CURSOR_LIMIT", 1 << 63),
        number("GOLDILOCKS", bounds.GOLDILOCKS),
        *(number(kind_name(kind), tag) for tag, (kind, _) in enumerate(REQUEST.cases)),
        number("REQUEST_KINDS", len(lengths)),
        word("REQUEST_LENGTHS", bytes(lengths).ljust(32, b"\0")),
        number("OUTCOMES", len(RequestOutcome)),
        number("INBOX_MAX", presets.MAIN.inbox_max),
        number("PAYMENT_BYTES", withdrawals.PAYMENT_BYTES),
        number("NO_ACCOUNT", withdrawals.NO_ACCOUNT),
        ("bytes", "WITHDRAWAL_TAG", f'"{withdrawals.WITHDRAWAL_TAG.decode()}"'),
        word("POINT_TAG", opening.POINT_TAG),
        number("COEFFICIENT_BYTES", blob.COEFFICIENT_BYTES),
        number("POLYNOMIAL_BYTES", blob.POLYNOMIAL_BYTES),
        number("FIELD_ELEMENTS_PER_BLOB", blob.SIZE),
    ]
    about = "Limits, kinds and widths of what a batch publishes. Limits are exclusive."
    return library("PublicDataLayout", about, constants) + SCALAR_FIELD


def leaf_layout() -> str:
    """Tags, sizes and depths of what is proved to L1 from the settlement root."""
    tags = ("ACCOUNT", "MARKET", "SNAPSHOT", "INSTRUMENT", "INSTRUMENTS", "SETTLEMENT", "ROOT")
    constants = [
        number(f"{name}_TAG", sponge.tag_element(getattr(layout, f"{name}_TAG"))) for name in tags
    ]
    depths = ("account_depth", "market_depth", "instrument_depth", "positions_max")
    constants += [number(upper(name), getattr(presets.MAIN, name)) for name in depths]
    constants += [
        number("QUANTITY_OFFSET", bounds.QUANTITY_MAX),
        number("NEVER_OPENED_SINCE", NEVER_OPENED.since),
    ]
    about = "Tags and sizes of state leaves, and the depths of their trees."
    return library("LeafLayout", about, constants)


def packed(row: Sequence[int], lane_bits: int) -> list[int]:
    """Four words of one full round's constants: element 4g + j is lane g of word j."""
    groups = range(0, len(row), 4)
    return [sum(row[g + j] << (g // 4 * lane_bits) for g in groups) for j in range(4)]


def round_words(parameters: Parameters, lane_bits: int) -> list[int]:
    """The constants of every round in order: four words a full round, one a partial round."""
    first = [word for row in parameters.first_full for word in packed(row, lane_bits)]
    last = [word for row in parameters.last_full for word in packed(row, lane_bits)]
    return [*first, *parameters.partial, *last]


def literal(words: Sequence[int]) -> str:
    """Words as one bytes literal."""
    return "\n    " + "\n    ".join(f'hex"{each:064x}"' for each in words)


def poseidon2_constants() -> str:
    """Round constants as bytes, and the diagonal's entries that are no small integers."""
    file = [HEAD, "uint256 constant P = 0xffffffff00000001;"]
    for parameters, lane_bits in (
        (poseidon2.WIDTH_8, LANE_BITS_8),
        (poseidon2.WIDTH_12, LANE_BITS_12),
    ):
        width = parameters.width
        file += [
            f"\n// Width {width}: {width // 4} lanes of {lane_bits} bits in a word.",
            f"uint256 constant LANE_{width} = {hexadecimal((1 << lane_bits) - 1)};",
        ]
        file += [
            f"uint256 constant DIAGONAL_{width}_{place} = {hexadecimal(value)};"
            for place, value in enumerate(parameters.diagonal)
            if value > 4 and place > 0
        ]
        rounds = literal(round_words(parameters, lane_bits))
        file.append(f"bytes constant ROUNDS_{width} ={rounds};")
    ones = sum(1 << LANE_BITS_12 * lane for lane in range(3))
    file += ["\n/// @dev One in every lane.", f"uint256 constant ONES_12 = {hexadecimal(ones)};"]
    return "\n".join(file) + "\n"


def render() -> dict[str, str]:
    """Text of every file by name."""
    return {
        "HeaderLayout.sol": header_layout(),
        "PublicDataLayout.sol": public_data_layout(),
        "LeafLayout.sol": leaf_layout(),
        "Poseidon2Constants.sol": poseidon2_constants(),
    }


def write_or_compare(folder: Path, files: dict[str, str], check: bool, program: str) -> int:
    """Write a renderer's files, or with `check` say which differ; 1 when one does.

    A file that names the program in its first lines and is no longer rendered is one that differs.
    """
    texts = [path for path in folder.glob("*") if path.suffix != ".bin"]
    there = {path.name: path.read_text(encoding="utf-8") for path in texts}
    own = {name for name, text in there.items() if program in text[:200]}
    changed = sorted(name for name in {*files, *own} if files.get(name) != there.get(name))
    if check:
        for name in changed:
            print(f"{folder.name}/{name} differs from what {program} renders", file=sys.stderr)
        return int(bool(changed))
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        if name in files:
            (folder / name).write_text(files[name], encoding="utf-8")
        else:
            (folder / name).unlink()
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files, or with --check compare them; 1 when one differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args(argv)
    return write_or_compare(OUTPUT, render(), arguments.check, Path(__file__).name)


if __name__ == "__main__":
    raise SystemExit(main())
