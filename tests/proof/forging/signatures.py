"""Attacks on signatures: of a key that is listed, with nobody asking for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from novate.circuit.expressions import P
from novate.circuit.witness import Trace
from novate.spec.crypto import curve, quintic, schnorr
from novate.spec.crypto.poseidon2 import WIDTH_12, permute
from novate.spec.crypto.quintic import Quintic
from novate.spec.crypto.scalar import N
from novate.spec.crypto.sponge import tag_element
from novate.spec.primitives import Digest
from novate.tables import key_windows, multiply
from novate.tables.curve import Element, affine
from novate.tables.multiply import BASE_CHUNKS, KEY_CHUNKS, chunks_of
from tests.proof.forging.keys import KEY, SECRET, with_key
from tests.proof.forging.scene import NEUTRAL, Attack, Scene, unit, wrong_sum

NAME = "signature"
DIGEST: Digest = (5, 6, 7, 8)
NONCE = 0x5EED
ELEMENTS = 14
"""Hashed for a challenge: commitment, key, digest."""
TOP = 2**32 - 1


@dataclass
class Signing:
    """How a signature comes about; the defaults are the law's."""

    hashed_key: Quintic = KEY
    encoding: Callable[[Quintic], Quintic] = lambda w: w
    """Of the commitment, from the true one."""
    capacity: Callable[[Sequence[int]], list[int]] = list
    """After the first block, from the true one."""
    key_multiple: Element | None = None
    """What is claimed to be e · Q."""
    response: int | None = None
    """What is claimed to be s; s · G is then what makes the sum right."""


def signatures(scene: Scene, traces: Mapping[str, Trace]) -> Iterator[Attack]:
    """Each rule of the table."""
    spoiled = signed_once(scene, Signing())
    spoiled.put(NAME, 0, active=2)
    yield spoiled.attack(f"{NAME}/active_bit")
    last = scene.rows(NAME) - 1
    for place in range(BASE_CHUNKS - 1):
        spoiled = scene.copy()
        spoiled.put(NAME, last, **{f"borrow_{place}": 2})
        yield spoiled.attack(f"{NAME}/borrow_{place}_bit")
    for place in range(10):
        spoiled = scene.copy()
        point = wrong_sum(NEUTRAL, NEUTRAL, place)
        spoiled.put_row(NAME, last, x=point.x, u=point.u)
        yield spoiled.attack(f"{NAME}/adds_up_{place}")
    for place in range(5):
        yield _wrong_encoding(scene, place).attack(f"{NAME}/encodes_{place}")
    for place in range(BASE_CHUNKS):
        spoiled = signed_once(scene, Signing())
        room = spoiled.primary[NAME][f"room_{place}"]
        room[0] += 1 if room[0] < TOP else -1
        yield spoiled.attack(f"{NAME}/below_the_order_{place}")
    for half, name in enumerate(("low", "high")):
        yield from _challenge_halves(scene, half, f"inverted_{name}")


def _challenge_halves(scene: Scene, half: int, inverse: str) -> Iterator[Attack]:
    """Half a challenge from p on, and inverses that are none, in a row without a signature."""
    last = scene.rows(NAME) - 1
    low, high = f"challenge_{2 * half}", f"challenge_{2 * half + 1}"
    spoiled = scene.copy()
    spoiled.put(NAME, last, **{low: 1, high: TOP})
    yield spoiled.attack(f"{NAME}/canonical_challenge_{half}")
    inverses = [pow(-TOP, -1, P)] * last
    yield scene.attack(f"{NAME}/inverses_{2 * half}", {NAME: {inverse: [*inverses, 0]}})
    spoiled = scene.copy()
    spoiled.put(NAME, last, **{high: TOP})
    given = {NAME: {inverse: [*inverses, 1]}}
    yield spoiled.attack(f"{NAME}/inverses_{2 * half + 1}", given)


def _wrong_encoding(scene: Scene, place: int) -> Scene:
    """A signature whose hashed encoding w has w · u = 1 + z^place."""
    shift = quintic.add(quintic.ONE, unit(place))
    return signed_once(scene, Signing(encoding=lambda w: quintic.mul(w, shift)))


def signed_once(scene: Scene, how: Signing) -> Scene:
    """A scene with a key and one signature of it, its runs and permutations."""
    made = with_key(scene)
    key = curve.decode(KEY)
    assert key is not None
    if how.key_multiple is None:
        commitment = affine(curve.multiply_generator(NONCE))
    else:
        response = curve.multiply_generator(NONCE)
        commitment = affine(curve.add_points(response, _point(how.key_multiple)))
    w = how.encoding(quintic.inverse_or_zero(commitment.u))
    states, capacity, digest = hashed([*w, *how.hashed_key, *DIGEST], how.capacity)
    challenge = schnorr.challenge_integer(digest[0], digest[1])
    key_multiple = how.key_multiple or affine(curve.multiply(challenge, key))
    response = (NONCE + (N - SECRET) * challenge) % N
    base_multiple = affine(curve.multiply_generator(response))
    if how.key_multiple is not None:
        response, base_multiple = NONCE, affine(curve.multiply_generator(NONCE))
    if how.response is not None:
        response = how.response
    for state in states:
        made.append("poseidon2_12", {f"state_{k}": [value] for k, value in enumerate(state)})
    window = key_windows.window(key_windows.element_of(KEY))
    made.append("multiply_key", multiply.fill_key([(1, challenge, window)]))
    windows = made.primary["base_windows"]
    made.append("multiply_base", multiply.fill_base([response], windows))
    room, borrow = room_below_the_order(response)
    made.put(NAME, 0, active=1, number=1)
    made.put_row(
        NAME,
        0,
        key=how.hashed_key,
        digest=DIGEST,
        challenge=chunks_of(challenge, KEY_CHUNKS),
        response=chunks_of(response, BASE_CHUNKS),
        room=room,
        borrow=borrow,
        key_x=key_multiple.x,
        key_u=key_multiple.u,
        base_x=base_multiple.x,
        base_u=base_multiple.u,
        x=commitment.x,
        u=commitment.u,
        w=w,
        capacity=capacity,
        unused=digest[2:],
    )
    return made


def _point(element: Element) -> curve.Point:
    """The point with this affine form."""
    return curve.Point(element.x, quintic.ONE, element.u, quintic.ONE)


def hashed(
    elements: Sequence[int], capacity_of: Callable[[Sequence[int]], list[int]]
) -> tuple[list[list[int]], list[int], list[int]]:
    """States, capacity and digest of the challenge's hash."""
    first = [*elements[:8], tag_element("schnorr"), ELEMENTS, 0, 0]
    capacity = capacity_of(permute(first, WIDTH_12)[8:])
    second = [*elements[8:], 0, 0, *capacity]
    return [first, second], capacity, list(permute(second, WIDTH_12)[:4])


def room_below_the_order(response: int) -> tuple[list[int], list[int]]:
    """Chunks of n − 1 − s, and what each borrows from the next."""
    limits, chunks = chunks_of(N - 1, BASE_CHUNKS), chunks_of(response, BASE_CHUNKS)
    borrows = [0]
    for limit, chunk in zip(limits, chunks, strict=True):
        borrows.append(int(limit - chunk - borrows[-1] < 0))
    return chunks_of(N - 1 - response, BASE_CHUNKS), borrows[1:-1]
