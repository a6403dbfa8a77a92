//! `Prover`: a relation under a profile, set up once.

use novate_prover::prove::{Proof, elements as field_elements};
use novate_prover::relation::F;
use novate_prover::transcript::Hashed;
use novate_prover::witness::{self, Trace};
use novate_prover::{Error, Profile, Relation, Statement};
use numpy::PyArray2;
use p3_field::PrimeField64;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::{matrix, new_matrix, vector};
use crate::detached;

fn value_error(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Columns (w, n) of one table as a trace.
fn trace(field: &str, array: &Bound<'_, PyAny>) -> PyResult<Trace> {
    let (words, width, rows) = matrix(field, array)?;
    let elements = field_elements(&words).map_err(value_error)?;
    if rows == 0 {
        return Ok(vec![Vec::new(); width]);
    }
    Ok(elements.chunks(rows).map(<[F]>::to_vec).collect())
}

/// One array a table.
fn traces(field: &str, arrays: &[Bound<'_, PyAny>]) -> PyResult<Vec<Trace>> {
    arrays.iter().enumerate().map(|(i, array)| trace(&format!("{field}[{i}]"), array)).collect()
}

fn public_values(arrays: &[Bound<'_, PyAny>]) -> PyResult<Vec<Vec<F>>> {
    let read = |(i, array): (usize, &Bound<'_, PyAny>)| {
        let words = vector(&format!("publics[{i}]"), array)?;
        field_elements(&words).map_err(value_error)
    };
    arrays.iter().enumerate().map(read).collect()
}

/// Reports phases of proofs as lines on standard error from now on; false if it could not.
#[pyfunction]
pub fn report_phases() -> bool {
    novate_prover::progress::report_phases()
}

/// A relation (its words) under a profile.
///
/// `profile`: log2 rows of each table, security level, proof-of-work bits, those of the zerocheck,
/// log2 of 1 / rate, folds, later rates.
#[pyclass(frozen, module = "novate.native._native")]
pub struct Prover(Statement);

#[pymethods]
impl Prover {
    #[new]
    #[allow(clippy::too_many_arguments)] // the fields of a profile
    fn new(
        py: Python<'_>,
        words: &Bound<'_, PyAny>,
        log_rows: Vec<usize>,
        security_level: usize,
        pow_bits: usize,
        sumcheck_pow_bits: usize,
        starting_log_inv_rate: usize,
        folds: Vec<usize>,
        rates: Vec<usize>,
    ) -> PyResult<Self> {
        let words = vector("words", words)?;
        let profile = Profile {
            log_rows,
            security_level,
            pow_bits,
            sumcheck_pow_bits,
            starting_log_inv_rate,
            folds,
            rates,
        };
        let made = detached(py, move || Statement::new(Relation::from_words(&words)?, profile))?;
        made.map(Self).map_err(value_error)
    }

    /// log2 of the stacked cells.
    #[getter]
    fn variables(&self) -> usize {
        self.0.variables()
    }

    /// The schedule of the opening: answers and fold proof-of-work at the start; of each round, and
    /// of the end, answers, proof-of-work, queries, log2 leaves, log2 of 1 / rate, fold
    /// proof-of-work; log2 of the final polynomial's length.
    #[allow(clippy::type_complexity)] // plain numbers for a key file
    fn schedule(&self) -> ((usize, usize), Vec<[usize; 6]>, [usize; 6], usize) {
        self.0.schedule()
    }

    /// Proven bits of the union of all error terms, and the terms in words.
    fn security(&self, py: Python<'_>) -> PyResult<(f64, Vec<String>)> {
        detached(py, || self.0.security())?.map_err(value_error)
    }

    /// The traces (w, n) of all tables from their primary columns (k, n).
    fn fill<'py>(
        &self,
        py: Python<'py>,
        primary: Vec<Bound<'py, PyAny>>,
        publics: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyArray2<u64>>>> {
        let (primary, publics) = (traces("primary", &primary)?, public_values(&publics)?);
        let log_rows = &self.0.profile().log_rows;
        let filled =
            detached(py, || witness::fill(self.0.relation(), log_rows, primary, &publics))?;
        let filled = filled.map_err(value_error)?;
        filled
            .into_iter()
            .map(|trace| {
                let rows = trace.first().map_or(0, Vec::len);
                let words = trace.concat().iter().map(PrimeField64::as_canonical_u64).collect();
                new_matrix(py, words, rows)
            })
            .collect()
    }

    /// The proof that traces (w, n) of all tables satisfy the relation.
    fn prove<'py>(
        &self,
        py: Python<'py>,
        trace: Vec<Bound<'py, PyAny>>,
        publics: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let (trace, publics) = (traces("trace", &trace)?, public_values(&publics)?);
        let proof = detached(py, || {
            let proof = self.0.prove(trace, &publics)?;
            self.0.encode(&proof)
        })?;
        Ok(PyBytes::new(py, &proof.map_err(value_error)?))
    }

    /// The bytes of the proof that these bytes are: the same, or a ValueError.
    fn recode<'py>(&self, py: Python<'py>, proof: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = detached(py, || self.0.encode(&self.0.decode(proof)?))?;
        Ok(PyBytes::new(py, &bytes.map_err(value_error)?))
    }

    /// ValueError unless these bytes are a proof of the relation for these public values.
    fn verify(&self, py: Python<'_>, proof: &[u8], publics: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
        let publics = public_values(&publics)?;
        let verdict = detached(py, || {
            let proof: Proof = self.0.decode(proof)?;
            self.0.verify(&proof, &publics)
        })?;
        verdict.map_err(value_error)
    }

    /// Input and digest of every hash of the transcript of a proof that `verify` accepts.
    fn transcript<'py>(
        &self,
        py: Python<'py>,
        proof: &[u8],
        publics: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>> {
        let publics = public_values(&publics)?;
        let hashes = detached(py, || {
            let proof: Proof = self.0.decode(proof)?;
            self.0.transcript(&proof, &publics)
        })?;
        let hashes = hashes.map_err(value_error)?;
        let pair =
            |hashed: &Hashed| (PyBytes::new(py, &hashed.input), PyBytes::new(py, &hashed.digest));
        Ok(hashes.iter().map(pair).collect())
    }
}
