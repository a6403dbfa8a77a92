//! The compiled module `novate.native._native`.
//!
//! Arrays come and go as C-contiguous `uint64` (verdicts as `bool`). Inputs are copied before the
//! interpreter is let go, so other threads may do with the originals what they like. Whatever is
//! wrong with an argument is a `ValueError` naming the field, the value and the limit; a panic,
//! which would be a defect here, becomes a `RuntimeError`.

mod arrays;
#[cfg(feature = "book")]
mod book;
#[cfg(feature = "engine")]
mod engine;
mod prover;
#[cfg(feature = "risk")]
mod risk;
mod steps;

use std::panic::{AssertUnwindSafe, catch_unwind};

use novate_primitives::hash::Tag;
use novate_primitives::schnorr::SecretKey;
use novate_primitives::{Error, batch, hash, merkle, schnorr};
use numpy::{PyArray1, PyArray2};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rayon::prelude::*;

use arrays::{elements, new_bytes, new_row, new_rows, row, rows, secret_words, vector, whole};

fn value_error(error: Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Runs `work` without the interpreter; a panic comes back as an exception.
pub(crate) fn detached<R: Send>(py: Python<'_>, work: impl FnOnce() -> R + Send) -> PyResult<R> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("unknown panic");
        PyRuntimeError::new_err(format!("defect in novate.native: {message}"))
    })
}

/// The module.
#[pymodule]
mod _native {
    use super::*;

    #[cfg(feature = "book")]
    #[pymodule_export]
    use super::book::MatchingCore;

    #[cfg(feature = "engine")]
    #[pymodule_export]
    use super::engine::Engine;

    #[pymodule_export]
    use super::prover::{Prover, report_phases};

    #[pymodule_export]
    use super::steps::{
        add_and_encode, generator_multiple_steps, generator_windows, key_multiple_steps,
        key_windows, permute_rows,
    };

    #[cfg(feature = "risk")]
    #[pymodule_export]
    use super::risk::{Portfolios, RiskView, option_values, smile_is_admissible};

    /// Messages hashed side by side by one core (the vector lanes this build uses).
    #[pymodule_export]
    const LANES: usize = novate_primitives::lanes::LANES;

    /// Sponge digests (n, 4) of the rows (n, m) under one tag.
    #[pyfunction]
    fn hash_rows<'py>(
        py: Python<'py>,
        tag: &str,
        rows: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let tag = Tag::new(tag).map_err(value_error)?;
        let (words, count, width) = arrays::matrix("rows", rows)?;
        elements("rows", &words)?;
        let digests = detached(py, move || hash::hash_rows(tag, &words, width, count))?;
        new_rows(py, digests)
    }

    /// Sponge digests (n, 4) of messages of any lengths: `elements[offsets[i]:offsets[i + 1]]`.
    #[pyfunction]
    fn hash_ragged<'py>(
        py: Python<'py>,
        tag: &str,
        elements: &Bound<'py, PyAny>,
        offsets: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let tag = Tag::new(tag).map_err(value_error)?;
        let words = vector("elements", elements)?;
        arrays::elements("elements", &words)?;
        let offsets = arrays::offsets(&vector("offsets", offsets)?, words.len())?;
        let digests = detached(py, move || hash::hash_ragged(tag, &words, &offsets))?;
        new_rows(py, digests)
    }

    /// Parent digests (n, 4) of rows left ‖ right (n, 8).
    #[pyfunction]
    fn compress_rows<'py>(
        py: Python<'py>,
        pairs: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let pairs: Vec<[u64; 8]> = rows("pairs", pairs)?;
        elements("pairs", pairs.as_flattened())?;
        let parents = detached(py, move || hash::compress_rows(&pairs))?;
        new_rows(py, parents)
    }

    /// Verdicts (n,) on keys (n, 5), digests (n, 4), signatures (n, 7). Malformed rows are false.
    #[pyfunction]
    fn verify_rows<'py>(
        py: Python<'py>,
        keys: &Bound<'py, PyAny>,
        digests: &Bound<'py, PyAny>,
        signatures: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let keys: Vec<schnorr::PublicKey> = rows("keys", keys)?;
        let digests = rows("digests", digests)?;
        let signatures: Vec<schnorr::Signature> = rows("signatures", signatures)?;
        let verdicts = detached(py, move || batch::verify_batch(&keys, &digests, &signatures))?;
        Ok(PyArray1::from_vec(py, verdicts.map_err(value_error)?))
    }

    /// Whether each row (n, 5) encodes a key that may sign.
    #[pyfunction]
    fn are_public_keys<'py>(
        py: Python<'py>,
        keys: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let keys: Vec<schnorr::PublicKey> = rows("keys", keys)?;
        let verdicts =
            detached(py, move || keys.par_iter().map(schnorr::is_public_key).collect::<Vec<_>>())?;
        Ok(PyArray1::from_vec(py, verdicts))
    }

    /// The secret key (40 bytes, little-endian) of a seed.
    #[pyfunction]
    fn secret_from_seed<'py>(py: Python<'py>, seed: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let key = SecretKey::from_seed(seed).map_err(value_error)?;
        Ok(new_bytes(py, &key.expose_words()))
    }

    /// The public key (5,) of a secret (40 bytes).
    #[pyfunction]
    fn public_key<'py>(py: Python<'py>, secret: &[u8]) -> PyResult<Bound<'py, PyArray1<u64>>> {
        let key = SecretKey::from_words(secret_words(secret)?).map_err(value_error)?;
        Ok(new_row(py, key.public_key()))
    }

    /// The signatures (n, 7) of digests (n, 4) by one secret (40 bytes), with `extra` (4,).
    #[pyfunction]
    fn sign_rows<'py>(
        py: Python<'py>,
        secret: &[u8],
        digests: &Bound<'py, PyAny>,
        extra: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<u64>>> {
        let key = SecretKey::from_words(secret_words(secret)?).map_err(value_error)?;
        let digests: Vec<novate_primitives::Digest> = rows("digests", digests)?;
        elements("digests", digests.as_flattened())?;
        let extra = row("extra", extra)?;
        elements("extra", &extra)?;
        let signatures = detached(py, move || key.sign_many(&digests, &extra))?;
        new_rows(py, signatures.map_err(value_error)?)
    }

    /// A dense binary tree of 2^depth leaf digests, all absent at first.
    #[pyclass(module = "novate.native._native")]
    struct MerkleTree(merkle::Tree);

    #[pymethods]
    impl MerkleTree {
        #[new]
        fn new(depth: &Bound<'_, PyAny>) -> PyResult<Self> {
            merkle::Tree::new(whole("depth", depth)?).map(Self).map_err(value_error)
        }

        /// The depth.
        #[getter]
        fn depth(&self) -> u32 {
            self.0.depth()
        }

        /// The root digest (4,).
        fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u64>> {
            new_row(py, self.0.root())
        }

        /// The leaf digest (4,) at an index, zeros if absent.
        fn leaf<'py>(
            &self,
            py: Python<'py>,
            index: &Bound<'py, PyAny>,
        ) -> PyResult<Bound<'py, PyArray1<u64>>> {
            Ok(new_row(py, self.0.leaf(whole("index", index)?).map_err(value_error)?))
        }

        /// The digests (n, 4) of a level's nodes (0: the leaves) at indices (n,).
        fn nodes<'py>(
            &self,
            py: Python<'py>,
            level: &Bound<'py, PyAny>,
            indices: &Bound<'py, PyAny>,
        ) -> PyResult<Bound<'py, PyArray2<u64>>> {
            let indices = vector("indices", indices)?;
            new_rows(py, self.0.nodes(whole("level", level)?, &indices).map_err(value_error)?)
        }

        /// The sibling digests (depth, 4) from the leaf up.
        fn path<'py>(
            &self,
            py: Python<'py>,
            index: &Bound<'py, PyAny>,
        ) -> PyResult<Bound<'py, PyArray2<u64>>> {
            new_rows(py, self.0.path(whole("index", index)?).map_err(value_error)?)
        }

        /// Sets leaves (n, 4) at distinct indices (n,), hashing each touched node once.
        fn update(
            &mut self,
            py: Python<'_>,
            indices: &Bound<'_, PyAny>,
            leaves: &Bound<'_, PyAny>,
        ) -> PyResult<()> {
            let indices = vector("indices", indices)?;
            let leaves: Vec<novate_primitives::Digest> = rows("leaves", leaves)?;
            elements("leaves", leaves.as_flattened())?;
            detached(py, || self.0.update(&indices, &leaves))?.map_err(value_error)
        }

        /// A tree of equal content that changes on its own.
        fn copy(&self) -> Self {
            Self(self.0.clone())
        }
    }
}
