//! A proof as bytes: what the shape fixes is not written, so one proof has one encoding.
//!
//! Fields stand in the order of the library's own (postcard) form, without its lengths and tags.
//! The one length that the shape leaves open, the digests of a Merkle multiproof, is four bytes,
//! little-endian. Elements are eight bytes, little-endian, below p; no byte follows the last.

use crate::error::{Error, Result};
use crate::relation::P;
use crate::shape::{Quadratic, Queries, Shape};

/// Bytes of an element; an extension element is three of them.
const ELEMENT: usize = 8;
/// Bytes of a digest.
const DIGEST: usize = 32;

/// Both directions walk the shape with one of these.
trait Walker {
    /// A length or tag that only the library's form has.
    fn fixed(&mut self, value: usize) -> Result<()>;
    /// Elements of the base field, canonical.
    fn elements(&mut self, what: &str, count: usize) -> Result<()>;
    /// Bytes that are hashes.
    fn digests(&mut self, what: &str, count: usize) -> Result<()>;
    /// A length that both forms have, at most `limit`.
    fn length(&mut self, what: &str, limit: usize) -> Result<usize>;
    /// A zero element that only the library's form has.
    fn zero(&mut self, what: &str) -> Result<()>;
}

fn walk(shape: &Shape, walker: &mut impl Walker) -> Result<()> {
    walker.fixed(1)?;
    walker.digests("commitment", 1)?;
    lookup(shape, walker)?;
    walker.fixed(0)?; // no indexed lookup
    walker.fixed(0)?; // no binary bus
    zerocheck(shape, walker)?;
    walker.fixed(shape.initial_ood)?;
    walker.elements("initial answers", 3 * shape.initial_ood)?;
    quadratic("initial fold", shape.initial_fold, walker)?;
    walker.fixed(shape.rounds.len())?;
    for (place, round) in shape.rounds.iter().enumerate() {
        let name = |what: &str| format!("round {place} {what}");
        walker.fixed(1)?;
        walker.fixed(1)?;
        walker.digests(&name("commitment"), 1)?;
        walker.fixed(round.ood)?;
        walker.elements(&name("answers"), 3 * round.ood)?;
        pow(&name("proof-of-work"), round.queries.pow_bits, walker)?;
        queries(&name("queries"), round.queries, walker)?;
        quadratic(&name("fold"), round.fold, walker)?;
    }
    walker.fixed(1)?;
    walker.fixed(1 << shape.final_variables)?;
    walker.elements("final polynomial", 3 << shape.final_variables)?;
    pow("final proof-of-work", shape.final_queries.pow_bits, walker)?;
    queries("final queries", shape.final_queries, walker)?;
    walker.fixed(usize::from(shape.final_fold.rounds > 0))?;
    if shape.final_fold.rounds > 0 {
        quadratic("final fold", shape.final_fold, walker)?;
    }
    walker.fixed(shape.openings.len())?;
    for (table, &(current, next)) in shape.openings.iter().enumerate() {
        for (row, count) in [("this row", current), ("the row below", next)] {
            walker.fixed(count)?;
            walker.elements(&format!("table {table}, {row}"), 3 * count)?;
        }
    }
    walker.fixed(0) // no preprocessed columns
}

fn lookup(shape: &Shape, walker: &mut impl Walker) -> Result<()> {
    walker.fixed(usize::from(shape.lookup_layers.is_some()))?;
    let Some(layers) = shape.lookup_layers else {
        return Ok(());
    };
    walker.elements("root denominator", 3)?;
    walker.fixed(layers)?;
    for layer in 0..layers {
        walker.fixed(layer)?;
        walker.elements(&format!("lookup layer {layer}"), 9 * layer + 12)?;
    }
    Ok(())
}

fn zerocheck(shape: &Shape, walker: &mut impl Walker) -> Result<()> {
    walker.elements("claimed sum", 3)?;
    walker.fixed(shape.zerocheck_rounds)?;
    for round in 0..shape.zerocheck_rounds {
        walker.fixed(shape.zerocheck_degree)?;
        walker.elements(&format!("zerocheck round {round}"), 3 * shape.zerocheck_degree)?;
    }
    let witnesses = if shape.zerocheck_pow { shape.zerocheck_rounds } else { 0 };
    walker.fixed(witnesses)?;
    walker.elements("zerocheck proof-of-work", witnesses)
}

fn quadratic(what: &str, fold: Quadratic, walker: &mut impl Walker) -> Result<()> {
    walker.fixed(fold.rounds)?;
    walker.elements(what, 6 * fold.rounds)?;
    let witnesses = if fold.pow_bits > 0 { fold.rounds } else { 0 };
    walker.fixed(witnesses)?;
    walker.elements(what, witnesses)
}

fn pow(what: &str, bits: usize, walker: &mut impl Walker) -> Result<()> {
    if bits > 0 { walker.elements(what, 1) } else { walker.zero(what) }
}

fn queries(what: &str, queries: Queries, walker: &mut impl Walker) -> Result<()> {
    walker.fixed(usize::from(!queries.base))?;
    walker.fixed(queries.count)?;
    let limbs = if queries.base { 1 } else { 3 };
    for _ in 0..queries.count {
        walker.fixed(queries.width)?;
        walker.elements(what, limbs * queries.width)?;
    }
    // Every opened row needs at most one sibling a level.
    let digests = walker.length(what, queries.count * queries.log_leaves)?;
    walker.digests(what, digests)
}

struct Bytes<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Bytes<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, total: bytes.len() }
    }

    fn take(&mut self, what: &str, count: usize) -> Result<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            let at = self.total - self.rest.len();
            return Err(Error::Decode(format!("{what}: {count} bytes at {at} of {}", self.total)));
        };
        self.rest = rest;
        Ok(taken)
    }

    fn take_elements(&mut self, what: &str, count: usize) -> Result<&'a [u8]> {
        let taken = self.take(what, ELEMENT * count)?;
        for word in taken.as_chunks::<ELEMENT>().0 {
            let word = u64::from_le_bytes(*word);
            if word >= P {
                return Err(Error::Decode(format!("{what}: element {word} is not below {P}")));
            }
        }
        Ok(taken)
    }

    fn varint(&mut self, what: &str) -> Result<usize> {
        let mut value = 0usize;
        for shift in (0..35).step_by(7) {
            let byte = self.take(what, 1)?[0];
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::Decode(format!("{what}: a length of more than five bytes")))
    }

    fn end(&self) -> Result<()> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(Error::Decode(format!("{left} bytes after the proof"))),
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// From our bytes to the library's.
struct Reading<'a> {
    input: Bytes<'a>,
    out: Vec<u8>,
}

impl Walker for Reading<'_> {
    fn fixed(&mut self, value: usize) -> Result<()> {
        put_varint(&mut self.out, value);
        Ok(())
    }

    fn elements(&mut self, what: &str, count: usize) -> Result<()> {
        self.out.extend(self.input.take_elements(what, count)?);
        Ok(())
    }

    fn digests(&mut self, what: &str, count: usize) -> Result<()> {
        self.out.extend(self.input.take(what, DIGEST * count)?);
        Ok(())
    }

    fn length(&mut self, what: &str, limit: usize) -> Result<usize> {
        let bytes = self.input.take(what, 4)?;
        let length = u32::from_le_bytes(bytes.try_into().expect("four bytes")) as usize;
        if length > limit {
            return Err(Error::Decode(format!("{what}: {length} digests, at most {limit}")));
        }
        put_varint(&mut self.out, length);
        Ok(length)
    }

    fn zero(&mut self, _: &str) -> Result<()> {
        self.out.extend([0; ELEMENT]);
        Ok(())
    }
}

/// From the library's bytes to ours.
struct Writing<'a> {
    input: Bytes<'a>,
    out: Vec<u8>,
}

impl Walker for Writing<'_> {
    fn fixed(&mut self, value: usize) -> Result<()> {
        let found = self.input.varint("length")?;
        if found == value {
            return Ok(());
        }
        Err(Error::Decode(format!("the library wrote {found} where the shape has {value}")))
    }

    fn elements(&mut self, what: &str, count: usize) -> Result<()> {
        self.out.extend(self.input.take_elements(what, count)?);
        Ok(())
    }

    fn digests(&mut self, what: &str, count: usize) -> Result<()> {
        self.out.extend(self.input.take(what, DIGEST * count)?);
        Ok(())
    }

    fn length(&mut self, what: &str, limit: usize) -> Result<usize> {
        let length = self.input.varint(what)?;
        if length > limit {
            return Err(Error::Decode(format!("{what}: {length} digests, at most {limit}")));
        }
        self.out.extend((length as u32).to_le_bytes());
        Ok(length)
    }

    fn zero(&mut self, what: &str) -> Result<()> {
        if self.input.take(what, ELEMENT)?.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        Err(Error::Decode(format!("{what}: not zero where nothing is asked for")))
    }
}

/// Our bytes of a proof in the library's form.
///
/// # Errors
/// `Error::Decode` if the proof has not the shape.
pub fn encode(shape: &Shape, library: &[u8]) -> Result<Vec<u8>> {
    let mut walker = Writing { input: Bytes::new(library), out: Vec::with_capacity(library.len()) };
    walk(shape, &mut walker)?;
    walker.input.end()?;
    Ok(walker.out)
}

/// The library's form of exactly these bytes.
///
/// # Errors
/// `Error::Decode` naming the field that is truncated, not canonical or too long.
pub fn decode(shape: &Shape, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut walker = Reading { input: Bytes::new(bytes), out: Vec::with_capacity(bytes.len()) };
    walk(shape, &mut walker)?;
    walker.input.end()?;
    Ok(walker.out)
}
