//! Instruments and their 50-bit id, most significant first:
//! underlying 8 | expiry day 16 | kind 2 | strike 24.
//!
//! Sorted ids group by underlying and, inside it, by expiry.

use std::error::Error;
use std::fmt;

use crate::bounds::DAY_S;

/// Bits of an underlying's number.
pub const UNDERLYING_BITS: u32 = 8;
/// Bits of an expiry day.
pub const EXPIRY_DAY_BITS: u32 = 16;
/// Bits of a kind.
pub const KIND_BITS: u32 = 2;
/// Bits of a strike.
pub const STRIKE_BITS: u32 = 24;
/// Bits of an id.
pub const ID_BITS: u32 = UNDERLYING_BITS + EXPIRY_DAY_BITS + KIND_BITS + STRIKE_BITS;

/// 2020-01-01 00:00:00 UTC, day 0.
pub const EPOCH_S: i64 = 1_577_836_800;
/// 08:00 UTC, when everything expires.
pub const EXPIRY_OF_DAY_S: i64 = 28_800;
/// 2106-02-06: the last day whose 08:00 UTC is below 2^32 seconds.
pub const EXPIRY_DAY_MAX: u16 = 31_447;
/// Strikes are prices, so they share the bound of prices.
pub const STRIKE_PRICE_LIMIT: i128 = 1 << 31;

/// Something that is not the encoding of an instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The rule that it breaks, as the law names it.
    pub code: &'static str,
    /// Field, value and limit.
    pub detail: String,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl Error for DecodeError {}

/// What the instrument pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Never expires; pays funding.
    Perpetual = 0,
    /// The settlement price.
    Future = 1,
    /// What the settlement price exceeds the strike by.
    Call = 2,
    /// What the strike exceeds the settlement price by.
    Put = 3,
}

const KINDS: [Kind; 4] = [Kind::Perpetual, Kind::Future, Kind::Call, Kind::Put];

/// One instrument. Canonical: perpetual ⇔ `expiry_day` 0, strike 0 ⇔ perpetual or future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instrument {
    /// Which market.
    pub underlying: u8,
    /// Days since 2020-01-01, expiry at 08:00 UTC; 0: perpetual.
    pub expiry_day: u16,
    /// What it pays.
    pub kind: Kind,
    /// Below 2^24, in the underlying's strike tick; 0: linear.
    pub strike: u32,
}

impl Instrument {
    /// True for perpetuals and futures.
    pub fn is_linear(self) -> bool {
        self.kind <= Kind::Future
    }

    /// True for calls and puts.
    pub fn is_option(self) -> bool {
        self.kind >= Kind::Call
    }

    /// An error unless the strike fits its width and the instrument is canonical.
    pub fn check(self) -> Result<(), DecodeError> {
        let kind = self.kind as u8;
        let day = self.expiry_day;
        let refuse = |code, detail| Err(DecodeError { code, detail });
        if self.strike >> STRIKE_BITS != 0 {
            return Err(out_of_width("strike", u64::from(self.strike), STRIKE_BITS));
        }
        if day > EXPIRY_DAY_MAX {
            let detail = format!("expiry_day {day}, at most {EXPIRY_DAY_MAX}");
            return refuse("instrument_expiry_too_late", detail);
        }
        if (self.kind == Kind::Perpetual) != (day == 0) {
            let detail = format!("expiry_day {day} with kind {kind}: 0 is perpetual");
            return refuse("instrument_expiry_of_kind", detail);
        }
        if self.is_linear() != (self.strike == 0) {
            let detail = format!("strike {} with kind {kind}: 0 is linear", self.strike);
            return refuse("instrument_strike_of_kind", detail);
        }
        Ok(())
    }

    /// Id of a canonical instrument, below 2^50.
    pub fn encode(self) -> Result<u64, DecodeError> {
        self.check()?;
        let grouped = u64::from(self.underlying) << EXPIRY_DAY_BITS | u64::from(self.expiry_day);
        let kinds = grouped << KIND_BITS | self.kind as u64;
        Ok(kinds << STRIKE_BITS | u64::from(self.strike))
    }

    /// Instrument of an id; an error unless the id is the encoding of one.
    pub fn decode(id: u64) -> Result<Self, DecodeError> {
        if id >> ID_BITS != 0 {
            return Err(out_of_width("id", id, ID_BITS));
        }
        let instrument = Self {
            underlying: underlying_of(id),
            expiry_day: expiry_day_of(id),
            kind: KINDS[(id >> STRIKE_BITS & 3) as usize],
            strike: (id & ((1 << STRIKE_BITS) - 1)) as u32,
        };
        instrument.check()?;
        Ok(instrument)
    }

    /// Strike in price ticks, 0 for linear; an error unless below 2^31.
    pub fn strike_price(self, strike_tick: i64) -> Result<i64, DecodeError> {
        let price = i128::from(self.strike) * i128::from(strike_tick);
        if price >= STRIKE_PRICE_LIMIT {
            let detail = format!("strike {price} ticks, below 2^31");
            return Err(DecodeError { code: "instrument_strike_price", detail });
        }
        Ok(price.max(i128::from(i64::MIN)) as i64)
    }

    /// Unix seconds at which it expires; none for a perpetual.
    pub fn expiry_time(self) -> Option<i64> {
        (self.kind != Kind::Perpetual).then(|| expiry_time(i64::from(self.expiry_day)))
    }
}

fn out_of_width(field: &str, value: u64, bits: u32) -> DecodeError {
    DecodeError {
        code: "instrument_field_range",
        detail: format!("{field} {value}, below 2^{bits}"),
    }
}

/// The underlying of an id; of a number that is no id, the same bits.
#[inline]
pub fn underlying_of(id: u64) -> u8 {
    (id >> (STRIKE_BITS + KIND_BITS + EXPIRY_DAY_BITS)) as u8
}

/// The expiry day of an id; of a number that is no id, the same bits.
#[inline]
pub fn expiry_day_of(id: u64) -> u16 {
    (id >> (STRIKE_BITS + KIND_BITS)) as u16
}

/// Unix seconds of 08:00 UTC on a day since 2020-01-01; saturates.
#[inline]
pub fn expiry_time(day: i64) -> i64 {
    day.saturating_mul(DAY_S).saturating_add(EPOCH_S + EXPIRY_OF_DAY_S)
}

/// Day since 2020-01-01 (UTC) that holds the unix second; negative before it.
#[inline]
pub fn day_of(time_s: i64) -> i64 {
    time_s.saturating_sub(EPOCH_S).div_euclid(DAY_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_every_kind_come_back() {
        for (expiry_day, kind, strike) in [
            (0, Kind::Perpetual, 0),
            (EXPIRY_DAY_MAX, Kind::Future, 0),
            (1, Kind::Call, (1 << STRIKE_BITS) - 1),
            (2_500, Kind::Put, 1),
        ] {
            let instrument = Instrument { underlying: 255, expiry_day, kind, strike };
            let id = instrument.encode().unwrap();
            assert_eq!(Instrument::decode(id), Ok(instrument));
            assert_eq!((underlying_of(id), expiry_day_of(id)), (255, expiry_day));
        }
    }

    #[test]
    fn what_is_not_canonical_is_refused_by_its_rule() {
        let code = |id: u64| Instrument::decode(id).unwrap_err().code;
        assert_eq!(code(1 << 50), "instrument_field_range");
        assert_eq!(code(u64::MAX), "instrument_field_range");
        assert_eq!(code(31_448 << 26 | 1 << 24), "instrument_expiry_too_late");
        assert_eq!(code(1 << 26), "instrument_expiry_of_kind");
        assert_eq!(code(1 << 24), "instrument_expiry_of_kind");
        assert_eq!(code(1 << 26 | 1 << 24 | 7), "instrument_strike_of_kind");
        assert_eq!(code(1 << 26 | 2 << 24), "instrument_strike_of_kind");
        let wide = Instrument { underlying: 0, expiry_day: 1, kind: Kind::Put, strike: 1 << 24 };
        assert_eq!(wide.encode().unwrap_err().code, "instrument_field_range");
        assert_eq!(
            Instrument { strike: (1 << 24) - 1, ..wide }.strike_price(129).unwrap_err().code,
            "instrument_strike_price"
        );
    }

    #[test]
    fn days_and_seconds() {
        assert_eq!(expiry_time(0), 1_577_865_600);
        assert_eq!(expiry_time(i64::MAX), i64::MAX);
        assert_eq!((day_of(EPOCH_S - 1), day_of(EPOCH_S), day_of(i64::MIN) < 0), (-1, 0, true));
        assert!(expiry_time(i64::from(EXPIRY_DAY_MAX)) < 1 << 32);
        assert!(expiry_time(i64::from(EXPIRY_DAY_MAX) + 1) >= 1 << 32);
    }
}
