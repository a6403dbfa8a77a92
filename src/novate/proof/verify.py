"""The verifier: key, public values and proof bytes in, a verdict out. docs/protocol.md explains.

It is independent: `verifier/` imports nothing else of Novate's, and cannot reach the prover.
"""

from __future__ import annotations

from collections.abc import Sequence

from novate.proof.verifier.field import P
from novate.proof.verifier.key import Key, read_key
from novate.proof.verifier.lookup import verify_lookup
from novate.proof.verifier.messages import read_messages
from novate.proof.verifier.stacking import read_answers, read_columns
from novate.proof.verifier.transcript import Refused, Transcript, atom, bracket, require, u
from novate.proof.verifier.whir import verify_opening
from novate.proof.verifier.zerocheck import verify_closing, verify_zerocheck

__all__ = ["Key", "Refused", "Transcript", "read_key", "verify"]


def verify(
    key: Key, publics: Sequence[Sequence[int]], proof: bytes, transcript: Transcript | None = None
) -> None:
    """Refused unless the bytes are a proof of the key's statement for these public values.

    Public values are listed for each table of the key. A transcript may be given to be read after.
    """
    transcript = transcript or Transcript()
    # 0. The proof's bytes, and public values of the right number, below p.
    messages = read_messages(key, proof)
    values = [list(row) for row in publics]
    require([len(row) for row in values] == [t.publics for t in key.tables], "0.1 public values")
    require(all(0 <= value < P for row in values for value in row), "0.2 public values from p")
    # 1. The statement: shape, commitment, public values.
    bind_statement(key, values, messages.root, transcript)
    # 2. The buses balance, if one claim about the columns holds.
    lookup = verify_lookup(key, messages, transcript)
    # 3. That claim and every rule hold, if the columns have certain values at one point.
    zerocheck = verify_zerocheck(key, messages, lookup, transcript)
    # 4. The values the columns are said to have are claims about what was committed to.
    answers = read_answers(key, messages, transcript)
    columns = read_columns(key, messages, zerocheck.point, transcript)
    # 5. Those claims hold.
    verify_opening(key, messages, columns, answers, transcript)
    # 6. The values are those that step 3 needs.
    verify_closing(key, values, messages, lookup, zerocheck)


def bind_statement(key: Key, publics: list[list[int]], root: bytes, transcript: Transcript) -> None:
    """Step 1: what is proved, before anything is drawn."""
    steps = bracket("main_commitment")
    steps += [atom("Public", "public_values", table.publics, "TF") for table in key.tables]
    for name in ("lookup_argument", "zerocheck", "main_opening"):
        steps += bracket(name)
    chunks = [u(len(key.tables)), u(key.sumcheck_pow_bits)]
    for table in key.tables:
        chunks += [u(table.log_rows), u(table.width), u(0), u(len(table.next_columns))]
        chunks += [u(column) for column in table.next_columns]
        chunks.append(u(0))
    transcript.seed("p3-multi-stark", 2, steps, chunks)
    commitment = [atom("Message", "commitment", None, "Opaque")]
    transcript.seed("p3-sumcheck-layout-commitment", 1, commitment, [])
    transcript.absorb(root)
    for row in publics:
        transcript.absorb_elements(row)
