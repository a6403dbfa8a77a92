//! Both directions of a layout by one function (`novate.spec.public_data.codec`).
//!
//! A layout is a function over a [`Coder`]: writing, it appends the value's fields; reading, it
//! fills them in. So reading is the exact inverse of writing, field by field. Integers are
//! big-endian of a fixed width, signed ones in excess 2^(8·width − 1); words of keys and signatures
//! are little-endian. Reading never trusts a count.

use novate_primitives::scalar::Scalar;

use crate::bounds::GOLDILOCKS;
use crate::error::{Law, LawError, check_range};
use crate::types::numbers::{PublicKey, Signature};

/// A count of `width` bytes, `least` to `most`, then items of `smallest` bytes or more.
#[derive(Clone, Copy, Debug)]
pub struct List {
    pub name: &'static str,
    pub width: usize,
    pub least: i64,
    pub most: i64,
    pub smallest: usize,
}

/// An integer's width in bytes, and its range.
#[derive(Clone, Copy, Debug)]
pub struct Integer {
    pub name: &'static str,
    pub width: usize,
    pub low: i64,
    pub high: i64,
    /// Stored with 2^(8·width − 1) added.
    pub is_signed: bool,
}

/// An integer in [low, high].
pub const fn unsigned(name: &'static str, width: usize, low: i64, high: i64) -> Integer {
    Integer { name, width, low, high, is_signed: false }
}

/// A signed integer in [low, high].
pub const fn signed(name: &'static str, width: usize, low: i64, high: i64) -> Integer {
    Integer { name, width, low, high, is_signed: true }
}

impl Integer {
    fn excess(&self) -> i128 {
        if self.is_signed { 1 << (8 * self.width - 1) } else { 0 }
    }
}

/// A direction.
pub trait Coder: Sized {
    /// Whether bytes are read, not written.
    const READS: bool;

    /// The next bytes.
    fn bytes(&mut self, bytes: &mut [u8]) -> Law<()>;

    /// The error if a list of so many bytes cannot follow.
    fn require_left(&self, name: &str, count: usize, smallest: usize) -> Law<()>;

    /// An integer.
    fn integer(&mut self, spec: &Integer, value: &mut i64) -> Law<()> {
        let mut word = [0; 16];
        if !Self::READS {
            check_range(spec.name, *value, spec.low, spec.high)?;
            word = (i128::from(*value) + spec.excess()).to_be_bytes();
        }
        let start = word.len() - spec.width;
        self.bytes(&mut word[start..])?;
        if Self::READS {
            let read = i128::from_be_bytes(word) - spec.excess();
            // more than 63 bits, which no field may have, is past every limit
            let clamped = i64::try_from(read).unwrap_or(i64::MAX);
            if i128::from(clamped) != read {
                return Err(out_of_range(spec, read));
            }
            *value = check_range(spec.name, clamped, spec.low, spec.high)?;
        }
        Ok(())
    }

    /// One byte below `count`.
    fn tag(&mut self, name: &str, count: u8, tag: &mut u8) -> Law<()> {
        let mut byte = [*tag];
        self.bytes(&mut byte)?;
        *tag = byte[0];
        if *tag >= count {
            let detail = format!("{name} = {tag}, below {count}");
            return Err(LawError::Decode("unknown_tag", detail));
        }
        Ok(())
    }

    /// A truth value in one byte.
    fn flag(&mut self, value: &mut bool) -> Law<()> {
        let mut tag = u8::from(*value);
        self.tag("flag", 2, &mut tag)?;
        *value = tag == 1;
        Ok(())
    }

    /// Presence in one byte, then the value if it is there.
    fn optional<T: Default>(
        &mut self,
        value: &mut Option<T>,
        item: impl FnOnce(&mut Self, &mut T) -> Law<()>,
    ) -> Law<()> {
        let mut is_there = value.is_some();
        self.flag(&mut is_there)?;
        if Self::READS {
            *value = is_there.then(T::default);
        }
        value.as_mut().map_or(Ok(()), |value| item(self, value))
    }

    /// A count and its items.
    fn list<T: Default>(
        &mut self,
        spec: &List,
        list: &mut Vec<T>,
        mut item: impl FnMut(&mut Self, &mut T) -> Law<()>,
    ) -> Law<()> {
        let mut count = list.len() as i64;
        self.integer(&unsigned(spec.name, spec.width, spec.least, spec.most), &mut count)?;
        if Self::READS {
            self.require_left(spec.name, count as usize, spec.smallest)?;
            list.clear();
            for _ in 0..count {
                let mut value = T::default();
                item(self, &mut value)?;
                list.push(value);
            }
            return Ok(());
        }
        list.iter_mut().try_for_each(|value| item(self, value))
    }

    /// A key in 40 bytes: five elements. Need not be a point.
    fn key(&mut self, key: &mut PublicKey) -> Law<()> {
        key.iter_mut().try_for_each(|word| self.word(word))?;
        match key.iter().find(|word| **word >= GOLDILOCKS) {
            None => Ok(()),
            Some(word) => Err(LawError::Decode("element_not_canonical", format!("{word} >= p"))),
        }
    }

    /// A canonical signature in 56 bytes: e0, e1, and five words of s.
    fn signature(&mut self, signature: &mut Signature) -> Law<()> {
        self.word(&mut signature.e0)?;
        self.word(&mut signature.e1)?;
        signature.s.iter_mut().try_for_each(|word| self.word(word))?;
        let elements = signature.e0 < GOLDILOCKS && signature.e1 < GOLDILOCKS;
        let rule = match (elements, Scalar::from_words(signature.s).is_some()) {
            (true, true) => return Ok(()),
            _ if !Self::READS => "signature_not_canonical",
            (false, _) => "element_not_canonical",
            (true, false) => "scalar_not_canonical",
        };
        Err(LawError::Decode(rule, format!("{signature:?}")))
    }

    /// Eight bytes, little-endian.
    fn word(&mut self, word: &mut u64) -> Law<()> {
        let mut bytes = word.to_le_bytes();
        self.bytes(&mut bytes)?;
        *word = u64::from_le_bytes(bytes);
        Ok(())
    }
}

fn out_of_range(spec: &Integer, value: i128) -> LawError {
    let Integer { name, low, high, .. } = spec;
    LawError::Decode("out_of_range", format!("{name} = {value} is not in [{low}, {high}]"))
}

/// Writing: bytes are appended.
#[derive(Debug, Default)]
pub struct Writer {
    pub out: Vec<u8>,
}

impl Coder for Writer {
    const READS: bool = false;

    fn bytes(&mut self, bytes: &mut [u8]) -> Law<()> {
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn require_left(&self, _: &str, _: usize, _: usize) -> Law<()> {
        Ok(())
    }
}

/// Reading: bytes are taken from the front.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Self {
        Self { rest: data }
    }

    /// The error unless every byte was read.
    pub fn finish(&self) -> Law<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let detail = format!("{} bytes after the last field", self.rest.len());
        Err(LawError::Decode("trailing_bytes", detail))
    }
}

impl Coder for Reader<'_> {
    const READS: bool = true;

    fn bytes(&mut self, bytes: &mut [u8]) -> Law<()> {
        let Some((taken, rest)) = self.rest.split_at_checked(bytes.len()) else {
            let detail = format!("{} bytes wanted, {} left", bytes.len(), self.rest.len());
            return Err(LawError::Decode("truncated", detail));
        };
        bytes.copy_from_slice(taken);
        self.rest = rest;
        Ok(())
    }

    fn require_left(&self, name: &str, count: usize, smallest: usize) -> Law<()> {
        if count.saturating_mul(smallest) <= self.rest.len() {
            return Ok(());
        }
        let detail = format!("{count} {name}, {} bytes left", self.rest.len());
        Err(LawError::Decode("truncated", detail))
    }
}
