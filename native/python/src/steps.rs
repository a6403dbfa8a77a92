//! Multiplications with every element on the way, for the witness of a proof.

use novate_primitives::curve::AffinePoint;
use novate_primitives::scalar::Scalar;
use novate_primitives::steps::{self, DIGITS, POINT_WORDS, Window};
use novate_primitives::{hash, schnorr};
use numpy::PyArray2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arrays::{elements, new_matrix, new_rows, rows, vector};
use crate::{detached, value_error};

type Array<'py> = Bound<'py, PyArray2<u64>>;

fn points(field: &'static str, array: &Bound<'_, PyAny>) -> PyResult<Vec<AffinePoint>> {
    let words: Vec<[u64; POINT_WORDS]> = rows(field, array)?;
    let read = |row| steps::point_of_words(field, row).map_err(value_error);
    words.iter().map(read).collect()
}

fn windows(array: &Bound<'_, PyAny>) -> PyResult<Vec<Window>> {
    let points = points("windows", array)?;
    let (whole, rest) = points.as_chunks::<DIGITS>();
    if rest.is_empty() {
        return Ok(whole.to_vec());
    }
    let detail = format!("windows has {} rows, must be a multiple of {DIGITS}", points.len());
    Err(PyValueError::new_err(detail))
}

/// An error unless the field is one of a few numbers.
fn one_of(field: &str, value: u32, choices: &[u32]) -> PyResult<()> {
    if choices.contains(&value) {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("{field} = {value}, must be one of {choices:?}")))
}

/// States (n, 12) after one Poseidon2 permutation of states (n, 12).
#[pyfunction]
pub fn permute_rows<'py>(py: Python<'py>, states: &Bound<'py, PyAny>) -> PyResult<Array<'py>> {
    let states: Vec<[u64; 12]> = rows("states", states)?;
    elements("states", states.as_flattened())?;
    let permuted = detached(py, move || hash::permute_rows(&states))?;
    new_rows(py, permuted)
}

/// Of keys (k, 5): multiples 0·Q to 15·Q (16·k, 10), and roots of x/7 (k, 5).
#[pyfunction]
pub fn key_windows<'py>(
    py: Python<'py>,
    keys: &Bound<'py, PyAny>,
) -> PyResult<(Array<'py>, Array<'py>)> {
    let keys: Vec<schnorr::PublicKey> = rows("keys", keys)?;
    let found = detached(py, move || steps::key_windows(&keys))?.map_err(value_error)?;
    let multiples = found.iter().flat_map(|(window, _)| window.map(|p| steps::point_words(&p)));
    let multiples = multiples.collect();
    let roots = found.iter().map(|(_, root)| root.words()).collect();
    Ok((new_rows(py, multiples)?, new_rows(py, roots)?))
}

/// All multiples of 2^(bits·k)·G by digits of so many bits (1 to 8), k below `places`:
/// (places · 2^bits, 10).
#[pyfunction]
pub fn generator_windows(py: Python<'_>, places: usize, bits: u32) -> PyResult<Array<'_>> {
    one_of("bits", bits, &[1, 2, 3, 4, 5, 6, 7, 8])?;
    let found = detached(py, move || steps::generator_windows(places, bits))?;
    new_rows(py, found.iter().flatten().map(steps::point_words).collect())
}

/// Rows of the multiplications of windows (16·k, 10), chosen by `of` (n,), with scalars (n, 2):
/// (60, 33·n), the sum, its doubles and the multiple to add.
#[pyfunction]
pub fn key_multiple_steps<'py>(
    py: Python<'py>,
    windows: &Bound<'py, PyAny>,
    of: &Bound<'py, PyAny>,
    scalars: &Bound<'py, PyAny>,
) -> PyResult<Array<'py>> {
    let (windows, of) = (self::windows(windows)?, vector("of", of)?);
    let scalars: Vec<[u64; 2]> = rows("scalars", scalars)?;
    if of.len() != scalars.len() {
        let detail = format!("of has {} rows, scalars {}: must be equal", of.len(), scalars.len());
        return Err(PyValueError::new_err(detail));
    }
    if let Some(wrong) = of.iter().find(|&&place| place >= windows.len() as u64) {
        let detail = format!("of holds {wrong}, must be below {} windows", windows.len());
        return Err(PyValueError::new_err(detail));
    }
    let of: Vec<usize> = of.iter().map(|&place| place as usize).collect();
    let count = scalars.len() * (steps::CHALLENGE_DIGITS + 1);
    let words = detached(py, move || steps::key_multiple_steps(&windows, &of, &scalars))?;
    new_matrix(py, words, count)
}

/// Rows of the multiplications of G with scalars (n, 5) below the order by digits of 4 or 8 bits:
/// (20, (320 / bits + 1) · n), the sum and the multiple to add.
#[pyfunction]
pub fn generator_multiple_steps<'py>(
    py: Python<'py>,
    scalars: &Bound<'py, PyAny>,
    bits: u32,
) -> PyResult<Array<'py>> {
    one_of("bits", bits, &[4, 8])?;
    let words: Vec<[u64; 5]> = rows("scalars", scalars)?;
    let read = |(place, row): (usize, &[u64; 5])| {
        let detail = || format!("scalars[{place}] is not below the order of the group");
        Scalar::from_words(*row).ok_or_else(|| PyValueError::new_err(detail()))
    };
    let scalars: Vec<Scalar> = words.iter().enumerate().map(read).collect::<PyResult<_>>()?;
    let count = scalars.len() * (steps::RESPONSE_BITS / bits as usize + 1);
    let found = detached(py, move || steps::generator_multiple_steps(&scalars, bits))?;
    new_matrix(py, found, count)
}

/// Sums of points (n, 10) and (n, 10), with their encodings: (n, 15).
#[pyfunction]
pub fn add_and_encode<'py>(
    py: Python<'py>,
    left: &Bound<'py, PyAny>,
    right: &Bound<'py, PyAny>,
) -> PyResult<Array<'py>> {
    let (left, right) = (points("left", left)?, points("right", right)?);
    if left.len() != right.len() {
        let detail = format!("left has {} rows, right {}: must be equal", left.len(), right.len());
        return Err(PyValueError::new_err(detail));
    }
    let sums = detached(py, move || steps::add_and_encode(&left, &right))?;
    new_rows(py, sums)
}
