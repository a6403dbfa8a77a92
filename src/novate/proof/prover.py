"""From primary columns to a proof: the door to the Rust core, with errors in the tables' words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from novate.circuit.columns import Origin
from novate.circuit.form import CircuitError, TableForm
from novate.circuit.relation import Relation
from novate.native import Prover as Core
from novate.proof.keys import key_data
from novate.proof.profiles import SECURITY_BITS_MIN, Profile

Words: TypeAlias = NDArray[np.uint64]
Primary: TypeAlias = Mapping[str, Mapping[str, Sequence[int] | Words]]
"""Values of the primary columns, by table and column; rows beyond them are padding."""
PROCESS_BYTES: Final = 300 << 20
CELL_BYTES: Final = 44
FIRST_CODE_BYTES: Final = 11
SECOND_CODE_BYTES: Final = 8
"""Peak memory of a process that keeps what it has (`proof.job`): its own, and what it takes a cell
and a base element of the first two codes. Measured: 102, 115, 138 and 180 bytes a cell at 2^24 with
codes of 4 and 1.5, 4 and 3, 4 and 6, 8 and 6 elements a cell, 115 at 2^26 with 4 and 3, all with
the traces that are proved."""


class ProofError(ValueError):
    """Nothing was proved, or a proof was refused; the message says why."""


class Prover:
    """A relation under a profile, set up once: proves and verifies."""

    def __init__(self, relation: Relation, profile: Profile) -> None:
        """ProofError if the profile gives no protocol or fewer than `SECURITY_BITS_MIN` bits."""
        self.relation = relation
        self.profile = profile
        try:
            self._core = Core(
                relation.words(),
                [profile.log_rows[form.name] for form in relation.forms],
                profile.security_level,
                profile.pow_bits,
                profile.sumcheck_pow_bits,
                profile.starting_log_inv_rate,
                list(profile.folds),
                list(profile.rates),
            )
            self.security_bits, self.security_terms = self._core.security()
        except ValueError as error:
            raise ProofError(f"profile {profile.name}: {error}") from error
        if self.security_bits < SECURITY_BITS_MIN:
            detail = f"{self.security_bits:.2f} proven bits, at least {SECURITY_BITS_MIN}"
            raise ProofError(f"profile {profile.name}: {detail}")

    def key(self) -> dict[str, Any]:
        """The verifying key, for JSON."""
        return key_data(self.relation, self.profile, self._core)

    @property
    def cells(self) -> int:
        """Cells that are committed to, padding included."""
        return 1 << self._core.variables

    @property
    def memory_bytes(self) -> int:
        """Estimate of the peak memory of a proof."""
        rate, fold = self.profile.starting_log_inv_rate, self.profile.folds[0]
        second = self.profile.rates[0] if self.profile.rates else rate + fold - 1
        codes = (FIRST_CODE_BYTES << rate + fold) + (3 * SECOND_CODE_BYTES << second)
        return PROCESS_BYTES + self.cells * CELL_BYTES + (self.cells >> fold) * codes

    def fill(self, primary: Primary, publics: Mapping[str, int]) -> list[Words]:
        """The traces (columns, rows) of all tables. CircuitError if something does not fit."""
        given = [self._padded(form, primary.get(form.name, {})) for form in self.relation.forms]
        return self._core.fill(given, self._publics(publics))

    def prove(self, traces: list[Words], publics: Mapping[str, int]) -> bytes:
        """A proof. ProofError if the traces do not satisfy the relation."""
        try:
            return self._core.prove(traces, self._publics(publics))
        except ValueError as error:
            raise ProofError(str(error)) from error

    def verify(self, proof: bytes, publics: Mapping[str, int]) -> None:
        """ProofError unless the bytes are a proof for these public values."""
        try:
            self._core.verify(proof, self._publics(publics))
        except ValueError as error:
            raise ProofError(str(error)) from error

    def transcript(self, proof: bytes, publics: Mapping[str, int]) -> list[tuple[bytes, bytes]]:
        """Input and digest of every hash of the verifier's transcript, in order.

        ProofError unless the bytes are a proof for these public values.
        """
        try:
            return self._core.transcript(proof, self._publics(publics))
        except ValueError as error:
            raise ProofError(str(error)) from error

    def recode(self, proof: bytes) -> bytes:
        """Decode and encode again. ProofError if the bytes are no proof's."""
        try:
            return self._core.recode(proof)
        except ValueError as error:
            raise ProofError(str(error)) from error

    def _publics(self, publics: Mapping[str, int]) -> list[Words]:
        """Public values by table. ProofError for one that is missing or no element."""
        try:
            rows = [[publics[name] for name in form.publics] for form in self.relation.forms]
        except KeyError as error:
            raise ProofError(f"public value {error} is missing") from error
        return [np.array(row, dtype=np.uint64) for row in rows]

    def _padded(self, form: TableForm, given: Mapping[str, Sequence[int] | Words]) -> Words:
        """A table's primary columns at its full height."""
        columns = [column for column in form.columns if column.origin == Origin.PRIMARY]
        names = [column.name for column in columns]
        if set(given) != set(names):
            raise CircuitError(f"{form.name}: columns given {sorted(given)}, primary {names}")
        rows = 1 << self.profile.log_rows[form.name]
        padded = np.empty((len(columns), rows), dtype=np.uint64)
        for place, column in enumerate(columns):
            values = np.asarray(given[column.name], dtype=np.uint64)
            if values.ndim != 1 or len(values) > rows:
                raise CircuitError(f"{form.name}.{column.name}: {len(values)} rows, max {rows}")
            padded[place, : len(values)] = values
            padded[place, len(values) :] = column.padding
        return padded
