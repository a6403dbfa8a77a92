"""Searches the protocol of the shipped profiles: rate, folds, proof-of-work, by gas in the end.

    python tools/search_profiles.py [minimal small main] [--top 10]

Prints the cheapest candidates of each profile, whether the prover's time and memory allow them, and
what is chosen: the cheapest that fits. `main` is searched over the whole space. The small profiles
have the rate of `main`, so that tests meet the codes that ship, and at most 20 bits of
proof-of-work, for tests prove over and over. Fails if a profile in `novate.proof.statements` is not
the chosen one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from novate.proof.profiles import Profile
from novate.proof.search import LIMITS, Candidate, Space, chosen, search
from novate.proof.statements import MAIN, SHIPPED, signed_updates_relation

HEAD = "folds            later rates   rate  pow   bits     bytes         gas  seconds    GB  fits"


def line(candidate: Candidate, fits: bool) -> str:
    """A row of the table."""
    profile = candidate.profile
    folds, rates = (",".join(map(str, row)) for row in (profile.folds, profile.rates))
    return (
        f"{folds:<16} {rates or 'folds - 1':<12} 1/{1 << profile.starting_log_inv_rate:<3}"
        f"{profile.pow_bits:>5} {candidate.security_bits:>6.2f} {candidate.proof_bytes:>9,}"
        f" {candidate.gas:>11,} {candidate.seconds:>8.2f} {candidate.memory_bytes / 1e9:>5.2f}"
        f"  {'yes' if fits else 'no'}"
    )


def search_one(profile: Profile, top: int) -> bool:
    """Print what is found for a profile's heights; whether the profile is what is chosen."""
    small = Space(pow_bits=(18, 20), rates=(MAIN.starting_log_inv_rate,))
    space = Space() if profile.name == MAIN.name else small
    limits = LIMITS[profile.name]
    found = search(signed_updates_relation(), profile, space)
    best = chosen(found, limits)
    print(
        f"\n{profile.name}: {len(found)} candidates of {limits.seconds:.2f} s and "
        f"{limits.memory_bytes / 1e9:.2f} GB at most\n{HEAD}"
    )
    for candidate in found[:top]:
        print(line(candidate, candidate.fits(limits)))
    print(f"chosen:\n{line(best, True)}")
    if best.profile != profile:
        print(f"{profile.name} in novate.proof.statements is another: folds {profile.folds}")
    return best.profile == profile


def main(argv: Sequence[str]) -> int:
    """Search; 1 if a shipped profile is not what the search chooses."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [profile.name for profile in SHIPPED]
    parser.add_argument("profiles", nargs="*", default=names)
    parser.add_argument("--top", type=int, default=10)
    arguments = parser.parse_args(argv)
    agreed = [
        search_one(profile, arguments.top)
        for profile in SHIPPED
        if profile.name in arguments.profiles
    ]
    return int(not all(agreed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
