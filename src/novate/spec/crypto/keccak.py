"""Keccak-256 as L1 has it: Keccak-f[1600], rate 136 bytes, the padding of 2011 (first byte 0x01).

Only what L1 computes uses it; nothing inside a proof does. SHA3-256 (FIPS 202) is the same with the
padding byte 0x06. Source: Bertoni, Daemen, Peeters, Van Assche, "The Keccak reference", 3.0.
"""

from __future__ import annotations

from typing import Final

from novate.spec.rounding import div_down

RATE_BYTES: Final = 136
DIGEST_BYTES: Final = 32
KECCAK_PADDING: Final = 0x01
ROUNDS: Final = 24
LANE_MASK: Final = 2**64 - 1


def rotate(lane: int, count: int) -> int:
    """A 64-bit lane rotated left by 0 <= count < 64."""
    return (lane << count | lane >> 64 - count) & LANE_MASK


def _round_constants() -> tuple[int, ...]:
    """Bit 2**j − 1 of round i's constant is output 7i + j of the LFSR x^8 + x^6 + x^5 + x^4 + 1."""
    constants = []
    register = 1
    for _ in range(ROUNDS):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << (1 << j) - 1
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


def _rotations_and_places() -> tuple[tuple[int, int], ...]:
    """(rotation, destination) along the path of rho and pi that starts at lane (1, 0).

    Step t rotates by (t + 1)(t + 2)/2 and moves lane (x, y) to (y, 2x + 3y); lane (x, y) is at
    x + 5y.
    """
    steps = []
    x, y = 1, 0
    for t in range(24):
        x, y = y, (2 * x + 3 * y) % 5
        steps.append((div_down((t + 1) * (t + 2), 2) % 64, x + 5 * y))
    return tuple(steps)


ROUND_CONSTANTS: Final = _round_constants()
STEPS: Final = _rotations_and_places()


def permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600] of 25 lanes of 64 bits."""
    for constant in ROUND_CONSTANTS:
        lanes = _round(lanes, constant)
    return lanes


def _round(lanes: list[int], constant: int) -> list[int]:
    """theta, rho and pi, chi, iota."""
    parity = [
        lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)
    ]
    mixed = [parity[(x + 4) % 5] ^ rotate(parity[(x + 1) % 5], 1) for x in range(5)]
    lanes = [lane ^ mixed[place % 5] for place, lane in enumerate(lanes)]
    moved = list(lanes)
    carried = lanes[1]
    for rotation, place in STEPS:
        moved[place] = rotate(carried, rotation)
        carried = lanes[place]
    result = []
    for row in range(0, 25, 5):
        for x in range(5):
            beside = moved[row + (x + 1) % 5] ^ LANE_MASK
            result.append(moved[row + x] ^ beside & moved[row + (x + 2) % 5])
    result[0] ^= constant
    return result


def sponge(data: bytes, padding: int) -> bytes:
    """The 32-byte digest of any bytes under a padding byte."""
    length = RATE_BYTES - len(data) % RATE_BYTES
    padded = bytearray(data + bytes(length))
    padded[len(data)] ^= padding
    padded[-1] ^= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), RATE_BYTES):
        for place in range(div_down(RATE_BYTES, 8)):
            chunk = padded[start + 8 * place : start + 8 * place + 8]
            lanes[place] ^= int.from_bytes(chunk, "little")
        lanes = permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def keccak_256(data: bytes) -> bytes:
    """Keccak-256 of any bytes, 32 bytes: Solidity's `keccak256`."""
    return sponge(data, KECCAK_PADDING)
