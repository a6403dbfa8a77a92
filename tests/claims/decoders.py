"""Every decoder of the law on bytes it did not expect: a value or a named error, nothing else.

    python tests/claims/decoders.py --count 100000 --seed 1 --out summary.json

Inputs of each decoder: nine in ten are mutations of valid encodings taken from generated batches,
one in twenty is valid, the rest is random bytes. A value must encode to the very bytes it came
from. Work comes in chunks with a seed of their own; the state after each is kept in
build/claims/decoders.json, so a run that was cut off goes on where it stopped. Exit status 1 when
anything but DecodeError was raised, or a value had a second encoding.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache, partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from novate.lab.generator import Generator
from novate.lab.generator.drive import Generated
from novate.native import NativePrimitives
from novate.spec import instruments
from novate.spec.crypto import schnorr
from novate.spec.errors import DecodeError
from novate.spec.instruments import UnderlyingName, print_name, underlying_text
from novate.spec.presets import MINIMAL
from novate.spec.public_data import codec
from novate.spec.public_data.calldata import calldata_of, decode_calldata, encode_calldata
from novate.spec.public_data.compare import difference
from novate.spec.public_data.diff import apply_diff, encode_diff, encode_difference
from novate.spec.public_data.fields import INSTRUMENT
from novate.spec.public_data.full import decode_full, encode_full
from novate.spec.public_data.header import DataForm, decode_header, encode_header, header_from
from novate.spec.public_data.orders import ORDER

STATE = Path(__file__).resolve().parents[2] / "build" / "claims" / "decoders.json"
LAW = Path(__file__).resolve().parents[2] / "src" / "novate" / "spec"
CHUNK = 1_000
BATCHES = 50
FULL_BYTES_MAX = 12_000
SEED_OF_SAMPLES = 7
NAMES = underlying_text([UnderlyingName(0, "BTC", 2, 100), UnderlyingName(1, "ETH", 2, 100)])
EDGES = (0, 1, 2, 127, 128, 254, 255)

Decode = Callable[[bytes], Any]
Encode = Callable[[Any], bytes]


class Sample(NamedTuple):
    """A valid encoding with both directions of its decoder."""

    data: bytes
    decode: Decode
    encode: Encode


def id_of_bytes(data: bytes) -> instruments.Instrument:
    """The instrument of an id in the 7 bytes that public data have for it."""
    return instruments.decode(codec.decode(INSTRUMENT, data))


def bytes_of_id(instrument: instruments.Instrument) -> bytes:
    """The 7 bytes of an id."""
    return codec.encode(INSTRUMENT, instruments.encode(instrument))


def name_of_bytes(data: bytes) -> instruments.Instrument:
    """The instrument of a name in Latin-1, so that every string of bytes is a text."""
    return instruments.parse_name(data.decode("latin-1"), NAMES)


def bytes_of_name(instrument: instruments.Instrument) -> bytes:
    """The name of an instrument."""
    return print_name(instrument, NAMES).encode("latin-1")


@cache
def samples() -> dict[str, list[Sample]]:
    """Valid encodings by decoder, from the first batches of a generated world."""
    found: dict[str, list[Sample]] = {name: [] for name in DECODERS}
    for item in islice(Generator(SEED_OF_SAMPLES).batches(), BATCHES):
        for name, take in DECODERS.items():
            found[name].extend(take(item))
    return found


def full_samples(item: Generated) -> Iterator[Sample]:
    """A batch in full form, unless it is so large that it would only slow the search."""
    data = encode_full(item.batch)
    if len(data) <= FULL_BYTES_MAX:
        yield Sample(data, lambda data: decode_full(data, MINIMAL), encode_full)


def diff_samples(item: Generated) -> Iterator[Sample]:
    """A batch's differences; the decoder knows the state before."""
    before = item.before
    yield Sample(
        encode_diff(item.journal),
        lambda data: apply_diff(before, data),
        lambda after: encode_difference(difference(before, after)),
    )


def header_samples(item: Generated) -> Iterator[Sample]:
    """A batch's header."""
    header = header_from(item.batch, item.journal, DataForm.DIFF, NativePrimitives())
    yield Sample(encode_header(header), decode_header, encode_header)


def calldata_samples(item: Generated) -> Iterator[Sample]:
    """A batch's requests and payments."""
    data = encode_calldata(calldata_of(item.journal))
    yield Sample(data, lambda data: decode_calldata(data, MINIMAL), encode_calldata)


def order_samples(item: Generated) -> Iterator[Sample]:
    """A batch's orders, one by one."""
    for content in item.batch.rounds:
        for order in content.orders:
            data = codec.encode(ORDER, order)
            yield Sample(data, partial(codec.decode, ORDER), partial(codec.encode, ORDER))


def signature_samples(item: Generated) -> Iterator[Sample]:
    """The signatures of a batch's orders."""
    for content in item.batch.rounds:
        for order in content.orders:
            data = schnorr.signature_to_bytes(order.authorization.signature)
            yield Sample(data, schnorr.signature_from_bytes, schnorr.signature_to_bytes)


def key_samples(item: Generated) -> Iterator[Sample]:
    """The oracles' keys."""
    for key in item.before.parameters.oracle_keys:
        yield Sample(schnorr.key_to_bytes(key), schnorr.key_from_bytes, schnorr.key_to_bytes)


def id_samples(item: Generated) -> Iterator[Sample]:
    """Ids of the instruments of the state."""
    for key in item.before.instruments:
        yield Sample(bytes_of_id(instruments.decode(key)), id_of_bytes, bytes_of_id)


def name_samples(item: Generated) -> Iterator[Sample]:
    """Names of the instruments of the state."""
    for key in item.before.instruments:
        yield Sample(bytes_of_name(instruments.decode(key)), name_of_bytes, bytes_of_name)


DECODERS: dict[str, Callable[[Generated], Iterator[Sample]]] = {
    "full": full_samples,
    "diff": diff_samples,
    "header": header_samples,
    "calldata": calldata_samples,
    "order": order_samples,
    "signature": signature_samples,
    "key": key_samples,
    "instrument id": id_samples,
    "instrument name": name_samples,
}


def mutated(rng: Random, data: bytes, other: bytes) -> bytes:
    """The data with one to three changes; `other` is a valid encoding to splice with."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        rng.choice(MUTATIONS)(rng, changed, other)
    return bytes(changed)


def place_in(rng: Random, changed: bytearray) -> int:
    """A place in the data, often near the front, where the structure is."""
    end = max(1, len(changed))
    return rng.randrange(min(end, 64)) if rng.random() < 0.4 else rng.randrange(end)


def flip_bit(rng: Random, changed: bytearray, other: bytes) -> None:
    """Flip one bit."""
    if changed:
        changed[place_in(rng, changed)] ^= 1 << rng.randrange(8)


def set_byte(rng: Random, changed: bytearray, other: bytes) -> None:
    """Set one byte to a value at an edge."""
    if changed:
        changed[place_in(rng, changed)] = rng.choice(EDGES)


def set_run(rng: Random, changed: bytearray, other: bytes) -> None:
    """Set a run of bytes to all ones or zeros."""
    start = place_in(rng, changed)
    width = min(rng.choice((2, 3, 4, 8, 32)), len(changed) - start)
    changed[start : start + width] = bytes([rng.choice((0, 255))]) * width


def step_byte(rng: Random, changed: bytearray, other: bytes) -> None:
    """Add or subtract one: counts, tags and widths just beside the right ones."""
    if changed:
        place = place_in(rng, changed)
        changed[place] = (changed[place] + rng.choice((1, 255))) % 256


def drop(rng: Random, changed: bytearray, other: bytes) -> None:
    """Remove a few bytes."""
    start = place_in(rng, changed)
    del changed[start : start + rng.choice((1, 2, 4, 56))]


def truncate(rng: Random, changed: bytearray, other: bytes) -> None:
    """Cut the end off."""
    del changed[rng.randrange(len(changed) + 1) :]


def insert(rng: Random, changed: bytearray, other: bytes) -> None:
    """Insert a few bytes."""
    start = place_in(rng, changed)
    changed[start:start] = rng.randbytes(rng.choice((1, 2, 4)))


def extend(rng: Random, changed: bytearray, other: bytes) -> None:
    """Append bytes."""
    changed += rng.choice((b"\0", rng.randbytes(3), bytes(40)))


def repeat(rng: Random, changed: bytearray, other: bytes) -> None:
    """Copy a piece to another place."""
    start = place_in(rng, changed)
    piece = changed[start : start + rng.randint(1, 120)]
    place = place_in(rng, changed)
    changed[place:place] = piece


def splice(rng: Random, changed: bytearray, other: bytes) -> None:
    """Go on with another valid encoding from the same place."""
    start = place_in(rng, changed)
    changed[start:] = other[start:]


MUTATIONS = (
    *(flip_bit, flip_bit, set_byte, set_byte, step_byte, step_byte, set_run, drop),
    *(truncate, insert, extend, repeat, splice),
)


def name_of(error: DecodeError) -> str:
    """The error's reason; of a range, the field too."""
    if error.reason != "out_of_range":
        return error.reason
    return f"out_of_range {error.detail.split(' = ')[0].lstrip('0123456789 ')}"


def outcome(sample: Sample, data: bytes) -> str:
    """The error's name, `value`, or what must not be."""
    try:
        value = sample.decode(data)
    except DecodeError as error:
        return name_of(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the claim looks for
        return f"CRASH {type(error).__name__}: {error}"[:200]
    return "value" if sample.encode(value) == data else "SECOND ENCODING"


def run_chunk(name: str, seed: int, chunk: int) -> tuple[str, int, dict[str, int], list[str]]:
    """Outcomes of one chunk of inputs, and the inputs that must not be, in hex."""
    rng = Random(f"{seed} {name} {chunk}")
    found = samples()[name]
    counts: Counter[str] = Counter()
    bad: list[str] = []
    for _ in range(CHUNK):
        sample, other = rng.choice(found), rng.choice(found)
        dice = rng.random()
        if dice < 0.05:
            data, kind = sample.data, "valid"
        elif dice < 0.95:
            data, kind = mutated(rng, sample.data, other.data), "mutated"
        else:
            data, kind = rng.randbytes(rng.randrange(2 * len(sample.data) + 2)), "random"
        result = outcome(sample, data)
        counts[result] += 1
        counts[f"inputs {kind}"] += 1
        if result.isupper() or result.startswith("CRASH"):
            bad.append(f"{name}: {result}: {data.hex()}")
    return name, chunk, dict(counts), bad


def law_digest() -> str:
    """A digest of the law's source: a run goes on only under the law it began with."""
    digest = hashlib.sha256()
    for path in sorted(LAW.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load(seed: int, fresh: bool) -> dict[str, Any]:
    """The state of an earlier run of this seed and law, or an empty one."""
    state = {
        "seed": seed,
        "law": law_digest(),
        "done": {name: [] for name in DECODERS},
        "counts": {name: {} for name in DECODERS},
        "bad": [],
    }
    if STATE.exists() and not fresh:
        earlier: dict[str, Any] = json.loads(STATE.read_text())
        if all(earlier.get(key) == state[key] for key in ("seed", "law")):
            return earlier
    return state


def add(state: dict[str, Any], result: tuple[str, int, dict[str, int], list[str]]) -> None:
    """Add a chunk to the state and keep it."""
    name, chunk, counts, bad = result
    state["done"][name].append(chunk)
    total = Counter(state["counts"][name])
    total.update(counts)
    state["counts"][name] = dict(total)
    state["bad"].extend(bad[:5])
    STATE.write_text(json.dumps(state))


def table(state: dict[str, Any]) -> str:
    """Share of each outcome by decoder."""
    lines = []
    for name, counts in state["counts"].items():
        inputs = {key: n for key, n in counts.items() if key.startswith("inputs ")}
        total = max(1, sum(inputs.values()))
        parts = ", ".join(f"{n:,} {key[7:]}" for key, n in sorted(inputs.items()))
        lines.append(f"{name}: {total:,} inputs ({parts})")
        outcomes = ((key, n) for key, n in counts.items() if key not in inputs)
        for key, n in sorted(outcomes, key=lambda pair: -pair[1]):
            lines.append(f"  {100 * n / total:7.3f} %  {key}")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Search, print the table; 1 when something must not be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=100_000, help="inputs of each decoder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the summary as JSON here")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier run")
    arguments = parser.parse_args(argv)
    STATE.parent.mkdir(parents=True, exist_ok=True)
    state = load(arguments.seed, arguments.fresh)
    chunks = range(-(-arguments.count // CHUNK))
    waiting = [
        (name, chunk)
        for chunk in chunks
        for name in DECODERS
        if chunk not in set(state["done"][name])
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.processes, mp_context=context) as pool:
        running = [pool.submit(run_chunk, name, arguments.seed, chunk) for name, chunk in waiting]
        for number, future in enumerate(as_completed(running), 1):
            add(state, future.result())
            if number % 100 == 0:
                print(f"  {number} of {len(waiting)} chunks", flush=True)
    print(table(state))
    print("\n".join(state["bad"]) or "no crash, no second encoding")
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        summary = {key: state[key] for key in ("seed", "law", "counts", "bad")}
        arguments.out.write_text(json.dumps(summary, indent=1) + "\n")
    return int(bool(state["bad"]))


if __name__ == "__main__":
    sys.exit(main())
