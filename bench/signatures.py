"""Signatures made and checked a second: native, the specification, and two curves elsewhere.

Run as `python -m bench.signatures`. Peers, measured if installed: `coincurve` (libsecp256k1:
Schnorr of BIP 340 and ECDSA) and `cryptography` (Ed25519 of OpenSSL). Their curves have no cheap
proof; they say what a signature costs outside of one. Peers check one a call.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from functools import partial
from typing import Any, Final

import numpy as np

from bench.common import Timing, measure, on_threads, report
from novate import native
from novate.native import NativePrimitives
from novate.spec.crypto import schnorr
from novate.spec.primitives import Digest, SignatureCheck

IN_BULK: Final = 2_048
REPEATED: Final = 16
"""Signatures of each key in the batch of keys that repeat."""
MESSAGE: Final[Digest] = (1, 2, 3, 4)

Measured = tuple[str, str, int, Timing]
"""What is done, by whom, how many times a call, and the seconds of the call."""


def batch(keys: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys, digests and signatures of IN_BULK checks by so many distinct keys."""
    digests = np.arange(4 * IN_BULK, dtype=np.uint64).reshape(IN_BULK, 4)
    extra = np.zeros(4, np.uint64)
    secrets = [native.secret_from_seed(seed.to_bytes(4, "little")) for seed in range(keys)]
    signatures = np.empty((IN_BULK, 7), np.uint64)
    for place, secret in enumerate(secrets):
        signatures[place::keys] = native.sign_rows(secret, digests[place::keys].copy(), extra)
    public = np.array([native.public_key(secret) for secret in secrets])
    return np.tile(public, (IN_BULK // keys, 1)), digests, signatures


def native_rows() -> list[Measured]:
    """The compiled module, on as many threads as this process may use."""
    threads = os.environ["RAYON_NUM_THREADS"]
    who = f"native, {threads} thread" + ("s" if threads != "1" else "")
    found: list[Measured] = []
    for name, keys in (
        ("verify, keys differ", IN_BULK),
        ("verify, keys repeat", IN_BULK // REPEATED),
    ):
        checks = batch(keys)
        assert native.verify_rows(*checks).all()
        taken = measure(partial(native.verify_rows, *checks), repeats=3)
        found.append((name, who, IN_BULK, taken))
    secret = native.secret_from_seed(b"bench")
    digests = np.arange(4 * IN_BULK, dtype=np.uint64).reshape(IN_BULK, 4)
    extra = np.zeros(4, np.uint64)
    taken = measure(lambda: native.sign_rows(secret, digests, extra), repeats=3)
    found.append(("sign", who, IN_BULK, taken))
    if threads == "1":
        one = tuple(part[:1].copy() for part in batch(1))
        taken = measure(lambda: native.verify_rows(*one), loops=200)
        found.append(("verify, keys differ", "native, one a call", 1, taken))
        taken = measure(lambda: native.sign_rows(secret, digests[:1], extra), loops=200)
        found.append(("sign", "native, one a call", 1, taken))
    return found


def tuple_rows() -> list[Measured]:
    """The law's view of the compiled module: tuples of integers in, verdicts out."""
    secret = native.secret_of_seed(b"bench")
    key = native.key_of_secret(secret)
    digests = [(i, 2, 3, 4) for i in range(IN_BULK // 8)]
    signatures = native.sign_many(secret, digests)
    checks = [SignatureCheck(key, *pair) for pair in zip(digests, signatures, strict=True)]
    taken = measure(lambda: NativePrimitives().verify_many(checks))
    return [("verify, keys repeat", "NativePrimitives, one key", len(checks), taken)]


def specification_rows() -> list[Measured]:
    """The readable definition."""
    secret = schnorr.secret_from_seed(b"bench")
    key = schnorr.public_key(secret)
    signature = schnorr.sign(secret, MESSAGE)
    who = "specification"
    verify = measure(lambda: schnorr.verify(key, MESSAGE, signature), repeats=3, loops=3)
    sign = measure(lambda: schnorr.sign(secret, MESSAGE), repeats=3, loops=3)
    return [("verify, keys differ", who, 1, verify), ("sign", who, 1, sign)]


def coincurve_rows() -> list[Measured]:
    """libsecp256k1."""
    if importlib.util.find_spec("coincurve") is None:
        print("coincurve is not installed\n")
        return []
    coincurve: Any = importlib.import_module("coincurve")
    private = coincurve.PrivateKey(bytes(range(1, 33)))
    message = bytes(range(32))
    schnorr_key = coincurve.PublicKeyXOnly.from_secret(private.secret)
    signature = private.sign_schnorr(message)
    ecdsa = private.sign(message, hasher=None)
    who = "coincurve, BIP 340 Schnorr"
    verify = measure(lambda: schnorr_key.verify(signature, message), loops=1000)
    sign = measure(lambda: private.sign_schnorr(message), loops=1000)
    key = private.public_key
    verify_ecdsa = measure(lambda: key.verify(ecdsa, message, hasher=None), loops=1000)
    sign_ecdsa = measure(lambda: private.sign(message, hasher=None), loops=1000)
    return [
        ("verify, keys differ", who, 1, verify),
        ("sign", who, 1, sign),
        ("verify, keys differ", "coincurve, ECDSA", 1, verify_ecdsa),
        ("sign", "coincurve, ECDSA", 1, sign_ecdsa),
    ]


def ed25519_rows() -> list[Measured]:
    """Ed25519 of OpenSSL."""
    if importlib.util.find_spec("cryptography") is None:
        print("cryptography is not installed\n")
        return []
    ed25519: Any = importlib.import_module("cryptography.hazmat.primitives.asymmetric.ed25519")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
    message = bytes(range(32))
    signature = private.sign(message)
    key = private.public_key()
    who = "cryptography, Ed25519"
    verify = measure(lambda: key.verify(signature, message), loops=1000)
    sign = measure(lambda: private.sign(message), loops=1000)
    return [("verify, keys differ", who, 1, verify), ("sign", who, 1, sign)]


def main() -> int:
    """Measure all, print, write."""
    found = on_threads(1, native_rows)
    cores = os.cpu_count() or 1
    if cores > 1:
        found += on_threads(min(cores, 2), native_rows)
    found += [*tuple_rows(), *specification_rows(), *coincurve_rows(), *ed25519_rows()]
    base = {what: taken / count for what, who, count, taken in found if who == "native, 1 thread"}
    report(
        "signatures",
        [
            {
                "work": what,
                "by": who,
                "us each": taken / count * 1e6,
                "a second": round(count / taken),
                "times native, 1 thread": taken / count / base[what],
            }
            for what, who, count, taken in sorted(found, key=lambda row: row[0])
        ],
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
