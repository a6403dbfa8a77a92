//! Between numpy arrays and rows of words.

use novate_primitives::error::check_canonical;
use numpy::{PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The words and shape of a C-contiguous uint64 array; `shape` says what was expected.
fn words(field: &str, array: &Bound<'_, PyAny>, shape: &str) -> PyResult<(Vec<u64>, Vec<usize>)> {
    let wrong = |what: String| {
        PyValueError::new_err(format!(
            "{field} is {what}, must be a C-contiguous uint64 array of shape {shape}"
        ))
    };
    let Ok(array) = array.cast::<PyArrayDyn<u64>>() else {
        let kind = match array.getattr("dtype") {
            Ok(dtype) => format!("an array of {dtype}"),
            Err(_) => format!("a {}", array.get_type().name()?),
        };
        return Err(wrong(kind));
    };
    if !array.is_c_contiguous() {
        return Err(wrong("not contiguous".into()));
    }
    let words = array.to_vec().map_err(|error| wrong(error.to_string()))?;
    Ok((words, array.shape().to_vec()))
}

fn wrong_shape(field: &str, shape: &[usize], expected: &str) -> PyErr {
    PyValueError::new_err(format!("{field} has shape {shape:?}, must be {expected}"))
}

/// An (n, m) array: its words, n and m.
pub fn matrix(field: &str, array: &Bound<'_, PyAny>) -> PyResult<(Vec<u64>, usize, usize)> {
    let (words, shape) = words(field, array, "(n, m)")?;
    match shape[..] {
        [count, width] => Ok((words, count, width)),
        _ => Err(wrong_shape(field, &shape, "(n, m)")),
    }
}

/// An (n, N) array as rows.
pub fn rows<const N: usize>(field: &str, array: &Bound<'_, PyAny>) -> PyResult<Vec<[u64; N]>> {
    let expected = format!("(n, {N})");
    let (words, shape) = words(field, array, &expected)?;
    if shape.len() != 2 || shape[1] != N {
        return Err(wrong_shape(field, &shape, &expected));
    }
    Ok(words.as_chunks().0.to_vec())
}

/// An (n,) array.
pub fn vector(field: &str, array: &Bound<'_, PyAny>) -> PyResult<Vec<u64>> {
    let (words, shape) = words(field, array, "(n,)")?;
    if shape.len() == 1 { Ok(words) } else { Err(wrong_shape(field, &shape, "(n,)")) }
}

/// An (N,) array.
pub fn row<const N: usize>(field: &str, array: &Bound<'_, PyAny>) -> PyResult<[u64; N]> {
    let words = vector(field, array)?;
    let length = words.len();
    words.try_into().map_err(|_| wrong_shape(field, &[length], &format!("({N},)")))
}

/// An error unless every word is a canonical element.
pub fn elements(field: &'static str, words: &[u64]) -> PyResult<()> {
    check_canonical(field, words).map_err(super::value_error)
}

/// Offsets that start at 0, never fall and end at `length`.
pub fn offsets(offsets: &[u64], length: usize) -> PyResult<Vec<usize>> {
    let wrong = |place: usize, limit: String| {
        let value = offsets.get(place).map_or("missing".into(), u64::to_string);
        PyValueError::new_err(format!("offsets[{place}] is {value}, must be {limit}"))
    };
    if offsets.first() != Some(&0) {
        return Err(wrong(0, "0".into()));
    }
    if let Some(place) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
        return Err(wrong(place + 1, format!("at least {}", offsets[place])));
    }
    if offsets[offsets.len() - 1] != length as u64 {
        return Err(wrong(offsets.len() - 1, format!("{length}, the number of elements")));
    }
    Ok(offsets.iter().map(|&offset| offset as usize).collect())
}

/// An integer in the range of `T`, which the callee narrows further.
pub fn whole<T: TryFrom<u64>>(field: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    let number = value.extract::<u64>().ok().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| {
        PyValueError::new_err(format!("{field} is {value}, must be a small non-negative integer"))
    })
}

/// The five words of a secret of 40 little-endian bytes.
pub fn secret_words(secret: &[u8]) -> PyResult<[u64; 5]> {
    let (words, rest) = secret.as_chunks::<8>();
    if words.len() != 5 || !rest.is_empty() {
        let length = secret.len();
        return Err(PyValueError::new_err(format!("secret has {length} bytes, must have 40")));
    }
    Ok(core::array::from_fn(|i| u64::from_le_bytes(words[i])))
}

/// A new (n, N) array.
pub fn new_rows<const N: usize>(
    py: Python<'_>,
    rows: Vec<[u64; N]>,
) -> PyResult<Bound<'_, PyArray2<u64>>> {
    let count = rows.len();
    PyArray1::from_vec(py, rows.into_flattened()).reshape([count, N])
}

/// A new (N,) array.
pub fn new_row<const N: usize>(py: Python<'_>, row: [u64; N]) -> Bound<'_, PyArray1<u64>> {
    PyArray1::from_slice(py, &row)
}

/// Words as little-endian bytes.
pub fn new_bytes<'py>(py: Python<'py>, words: &[u64]) -> Bound<'py, PyBytes> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    PyBytes::new(py, &bytes)
}

/// A new (w, n) array of rows of `width` words.
pub fn new_matrix(
    py: Python<'_>,
    words: Vec<u64>,
    width: usize,
) -> PyResult<Bound<'_, PyArray2<u64>>> {
    let count = words.len() / width.max(1);
    PyArray1::from_vec(py, words).reshape([count, width])
}
