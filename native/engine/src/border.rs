//! The border encoding: states, batches, single records and journals as bytes, for tests, snapshots
//! and the Python door. `novate.engine.border` says the same of the law's types by reflection.
//!
//! * an integer, truth value or enumeration: one byte (sign in the highest bit, below it the number
//!   n of magnitude bytes), then n bytes, least significant first, the last not zero; 0 is 0x00;
//! * text and bytes: length in 4 bytes, then the bytes; optional: 0x00, or 0x01 and the value;
//! * a list or mapping: count in 4 bytes, then the items, of a mapping key and value ascending by
//!   key; a record: its fields in order; one of several records: its number in one byte, then it.
//!
//! All lengths are little-endian. One value has one encoding. Decoding never trusts a count and
//! refuses a number that its field cannot hold.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why bytes are not the encoding of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BorderError(pub String);

impl fmt::Display for BorderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BorderError {}

/// A result of decoding.
pub type Border<T> = Result<T, BorderError>;

pub(crate) fn refuse<T>(detail: impl Into<String>) -> Border<T> {
    Err(BorderError(detail.into()))
}

/// Bytes being read from the front.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Border<&'a [u8]> {
        match self.rest.split_at_checked(count) {
            Some((taken, rest)) => {
                self.rest = rest;
                Ok(taken)
            }
            None => refuse(format!("{count} bytes wanted, {} left", self.rest.len())),
        }
    }

    /// The next byte.
    pub fn byte(&mut self) -> Border<u8> {
        Ok(self.take(1)?[0])
    }

    /// A count of items of at least one byte each.
    pub fn count(&mut self) -> Border<usize> {
        let bytes = self.take(4)?;
        let count = bytes.iter().rev().fold(0, |count, &byte| count << 8 | usize::from(byte));
        if count > self.rest.len() {
            return refuse(format!("{count} items, {} bytes left", self.rest.len()));
        }
        Ok(count)
    }

    /// The sign and the magnitude, least significant byte first, of an integer.
    pub fn integer(&mut self) -> Border<(bool, &'a [u8])> {
        let head = self.byte()?;
        let magnitude = self.take(usize::from(head & 0x7F))?;
        let is_negative = head >> 7 == 1;
        match magnitude.last() {
            Some(0) => refuse("an integer with a leading zero byte"),
            None if is_negative => refuse("a negative zero"),
            _ => Ok((is_negative, magnitude)),
        }
    }
}

/// Appends an integer of a sign and little-endian magnitude bytes, zeros at the end allowed.
pub fn put_integer(out: &mut Vec<u8>, is_negative: bool, magnitude: &[u8]) {
    let length = magnitude.iter().rposition(|&byte| byte != 0).map_or(0, |place| place + 1);
    out.push(u8::from(is_negative && length != 0) << 7 | length as u8); // at most 40 bytes
    out.extend_from_slice(&magnitude[..length]);
}

fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&(count as u32).to_le_bytes());
}

/// Something with a border encoding.
pub trait Encoded: Sized {
    /// Appends the encoding.
    fn put(&self, out: &mut Vec<u8>);

    /// Reads one value.
    fn take(reader: &mut Reader<'_>) -> Border<Self>;
}

/// The bytes of a value.
#[must_use]
pub fn encode<T: Encoded>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.put(&mut out);
    out
}

/// The value of exactly these bytes.
pub fn decode<T: Encoded>(bytes: &[u8]) -> Border<T> {
    let mut reader = Reader { rest: bytes };
    let value = T::take(&mut reader)?;
    if !reader.rest.is_empty() {
        return refuse(format!("{} bytes after the last field", reader.rest.len()));
    }
    Ok(value)
}

macro_rules! signed {
    ($($kind:ty),*) => {$(
        impl Encoded for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                put_integer(out, *self < 0, &self.unsigned_abs().to_le_bytes());
            }

            fn take(reader: &mut Reader<'_>) -> Border<Self> {
                let (is_negative, bytes) = reader.integer()?;
                let mut word = [0; size_of::<i128>()];
                let fits = bytes.len() <= word.len();
                bytes.iter().zip(&mut word).for_each(|(byte, place)| *place = *byte);
                let magnitude = i128::try_from(u128::from_le_bytes(word)).ok().filter(|_| fits);
                let value = magnitude.map(|value| if is_negative { -value } else { value });
                match value.and_then(|value| <$kind>::try_from(value).ok()) {
                    Some(value) => Ok(value),
                    None => refuse(concat!("an integer that is no ", stringify!($kind))),
                }
            }
        }
    )*};
}

signed!(i64, i128);

macro_rules! unsigned {
    ($($kind:ty),*) => {$(
        impl Encoded for $kind {
            fn put(&self, out: &mut Vec<u8>) {
                put_integer(out, false, &self.to_le_bytes());
            }

            fn take(reader: &mut Reader<'_>) -> Border<Self> {
                let (is_negative, bytes) = reader.integer()?;
                let mut word = [0; size_of::<$kind>()];
                if is_negative || bytes.len() > word.len() {
                    return refuse(concat!("an integer that is no ", stringify!($kind)));
                }
                word[..bytes.len()].copy_from_slice(bytes);
                Ok(<$kind>::from_le_bytes(word))
            }
        }
    )*};
}

unsigned!(u32, u64);

impl Encoded for bool {
    fn put(&self, out: &mut Vec<u8>) {
        put_integer(out, false, &[u8::from(*self)]);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        match reader.integer()? {
            (false, []) => Ok(false),
            (false, [1]) => Ok(true),
            _ => refuse("a truth value that is neither 0 nor 1"),
        }
    }
}

impl Encoded for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_text(out, self);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let count = reader.count()?;
        match std::str::from_utf8(reader.take(count)?) {
            Ok(text) => Ok(text.into()),
            Err(error) => refuse(error.to_string()),
        }
    }
}

/// Appends text.
pub fn put_text(out: &mut Vec<u8>, text: &str) {
    put_count(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

impl<T: Encoded> Encoded for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        match reader.byte()? {
            0 => Ok(None),
            1 => Ok(Some(T::take(reader)?)),
            other => refuse(format!("an optional value that begins with {other}")),
        }
    }
}

impl<T: Encoded> Encoded for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        T::put(self, out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        T::take(reader).map(Self::new)
    }
}

impl<T: Encoded> Encoded for Arc<T> {
    fn put(&self, out: &mut Vec<u8>) {
        T::put(self, out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        T::take(reader).map(Self::new)
    }
}

impl<T: Encoded> Encoded for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(out, self.len());
        self.iter().for_each(|item| item.put(out));
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let count = reader.count()?;
        (0..count).map(|_| T::take(reader)).collect()
    }
}

impl<T: Encoded> Encoded for Arc<[T]> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(out, self.len());
        self.iter().for_each(|item| item.put(out));
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        Vec::take(reader).map(Into::into)
    }
}

impl<T: Encoded, const N: usize> Encoded for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let items: Vec<T> = (0..N).map(|_| T::take(reader)).collect::<Border<_>>()?;
        items.try_into().or_else(|_| refuse("a list of another length"))
    }
}

impl<A: Encoded, B: Encoded> Encoded for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        Ok((A::take(reader)?, B::take(reader)?))
    }
}

impl<A: Encoded, B: Encoded, C: Encoded> Encoded for (A, B, C) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
        self.2.put(out);
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        Ok((A::take(reader)?, B::take(reader)?, C::take(reader)?))
    }
}

impl<K: Encoded + Ord, V: Encoded> Encoded for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        put_count(out, self.len());
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(reader: &mut Reader<'_>) -> Border<Self> {
        let count = reader.count()?;
        let mut map = Self::new();
        for _ in 0..count {
            let key = K::take(reader)?;
            if map.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return refuse("keys of a mapping do not ascend");
            }
            map.insert(key, V::take(reader)?);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_have_one_encoding() {
        for value in [0, 1, -1, 255, 256, -256, i64::MAX, i64::MIN] {
            assert_eq!(decode::<i64>(&encode(&value)), Ok(value));
        }
        assert_eq!(encode(&0_i64), [0]);
        assert_eq!(encode(&-256_i64), [0x82, 0, 1]);
        assert!(decode::<i64>(&[0x80]).is_err());
        assert!(decode::<i64>(&[2, 1, 0]).is_err());
        assert!(decode::<i64>(&[1, 1, 1]).is_err());
        assert!(decode::<i64>(&encode(&(1_i128 << 63))).is_err());
        assert_eq!(decode::<i64>(&encode(&-(1_i128 << 63))), Ok(i64::MIN));
        assert!(decode::<u32>(&encode(&-1_i64)).is_err());
        assert!(decode::<i128>(&[17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]).is_err());
    }

    #[test]
    fn counts_are_not_trusted() {
        assert!(decode::<Vec<i64>>(&[255, 255, 255, 255]).is_err());
        assert_eq!(decode::<Vec<i64>>(&[2, 0, 0, 0, 0, 1, 7]), Ok(vec![0, 7]));
    }

    #[test]
    fn mappings_ascend() {
        let map = BTreeMap::from([(1_i64, true), (2, false)]);
        let bytes = encode(&map);
        assert_eq!(decode(&bytes), Ok(map));
        assert!(decode::<BTreeMap<i64, bool>>(&[2, 0, 0, 0, 1, 2, 0, 1, 1, 0]).is_err());
    }
}
