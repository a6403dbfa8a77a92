//! The matching core for Python: integers in, packed events out.
//!
//! With callables the interpreter is held and they are asked as `novate_book::desk` says; without
//! any, `run` lets it go. Orders are tuples of the fields of `novate.book.orders.Order`, events of
//! those of the packed record. A callable may not call the core that calls it.

use novate_book::Failure;
use novate_book::book::Revision;
use novate_book::desk::{Candidate, Desk, Open, PlannedFill, Verdict};
use novate_book::event::{Event, Reason};
use novate_book::exchange::Exchange;
use novate_book::order::{Order, SelfTrade, Side, TimeInForce, term};
use numpy::{PyArray1, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::detached;

/// Bytes of records, one after another.
type Bytes<'py> = Bound<'py, PyArray1<u8>>;

/// An integer of one of the machine's types; the error names the field and the limit.
macro_rules! integer {
    ($name:ident, $type:ty) => {
        #[inline]
        fn $name(field: &str, value: &Bound<'_, PyAny>) -> PyResult<$type> {
            value.extract().map_err(|_| out_of_range(field, value, <$type>::MIN, <$type>::MAX))
        }
    };
}
integer!(word8, u8);
integer!(word16, u16);
integer!(word32, u32);
integer!(word64, u64);
integer!(signed64, i64);

#[cold]
fn out_of_range<T: core::fmt::Display>(
    field: &str,
    value: &Bound<'_, PyAny>,
    least: T,
    greatest: T,
) -> PyErr {
    let shown = value.str().map_or_else(|_| "unprintable".into(), |text| text.to_string());
    let message = format!("{field} is {shown}, must be an integer from {least} to {greatest}");
    PyValueError::new_err(message)
}

/// A member of an enumeration by its number.
#[inline]
fn member<T>(
    field: &str,
    value: &Bound<'_, PyAny>,
    members: fn(u8) -> Option<T>,
    greatest: u8,
) -> PyResult<T> {
    members(word8(field, value)?).ok_or_else(|| out_of_range(field, value, 0, greatest))
}

/// The flags of an order: every integer that is no byte has a bit that the book refuses.
#[inline]
fn all_flags(value: &Bound<'_, PyAny>) -> PyResult<u8> {
    match value.extract::<u8>() {
        Ok(flags) => Ok(flags),
        Err(_) if value.is_instance_of::<pyo3::types::PyInt>() => Ok(u8::MAX),
        Err(_) => Err(out_of_range("flags", value, u8::MIN, u8::MAX)),
    }
}

/// The Python callables of one exchange, and what the one that admits knows already.
struct Callables {
    admit: Option<Py<PyAny>>,
    position: Option<Py<PyAny>>,
    listen: Option<Py<PyAny>>,
    /// How many planned fills `admit` was told of.
    told: usize,
}

impl Callables {
    fn is_empty(&self) -> bool {
        self.admit.is_none() && self.position.is_none() && self.listen.is_none()
    }
}

/// The callables with the interpreter that runs them.
struct PythonDesk<'a, 'py> {
    py: Python<'py>,
    callables: &'a mut Callables,
}

impl<'py> PythonDesk<'_, 'py> {
    /// The planned fills that `admit` was not told of yet.
    fn news(&mut self, instrument: u64, earlier: &[PlannedFill]) -> PyResult<Bound<'py, PyTuple>> {
        // a plan begins with none and only grows
        let told = self.callables.told.min(earlier.len());
        self.callables.told = earlier.len();
        let fills = earlier[told..].iter().map(|fill| {
            let maker = order_tuple(self.py, instrument, &fill.maker)?;
            let taker = order_tuple(self.py, instrument, &fill.taker)?;
            (maker, taker, fill.quantity).into_pyobject(self.py)
        });
        PyTuple::new(self.py, fills.collect::<PyResult<Vec<_>>>()?)
    }
}

impl Desk for PythonDesk<'_, '_> {
    type Error = PyErr;

    fn admit(&mut self, candidate: &Candidate<'_>) -> PyResult<Verdict> {
        let Candidate { instrument, price, quantity, earlier, .. } = *candidate;
        if self.callables.admit.is_none() {
            let quantity = i64::from(quantity);
            return Ok(Verdict { quantity, reason: Reason::NONE });
        }
        let news = self.news(instrument, earlier)?;
        let order = order_tuple(self.py, instrument, candidate.order)?;
        let counterparty =
            candidate.counterparty.map(|other| order_tuple(self.py, instrument, other));
        let question = (
            candidate.stage as u8,
            order,
            price,
            quantity,
            counterparty.transpose()?,
            earlier.len(),
            news,
        );
        let admit = self.callables.admit.as_ref().expect("looked at above");
        let answer = admit.bind(self.py).call1(question)?;
        let (quantity, reason): (i64, u16) = answer.extract()?;
        Ok(Verdict { quantity, reason: Reason(reason) })
    }

    fn position(&mut self, account: u32, instrument: u64, counted: i64) -> PyResult<i64> {
        match &self.callables.position {
            Some(position) => {
                let held = position.bind(self.py).call1((account, instrument))?;
                signed64("position", &held)
            }
            None => Ok(counted),
        }
    }

    fn listen(&mut self, event: &Event) -> PyResult<()> {
        if let Some(listen) = &self.callables.listen {
            listen.bind(self.py).call1((event_tuple(self.py, event)?,))?;
        }
        Ok(())
    }
}

/// The fields of `novate.book.orders.Order`.
fn order_tuple<'py>(
    py: Python<'py>,
    instrument: u64,
    order: &Order,
) -> PyResult<Bound<'py, PyTuple>> {
    let fields: [u64; 11] = [
        order.order_id,
        order.account.into(),
        order.owner_group.into(),
        instrument,
        order.side as u64,
        order.price.into(),
        order.quantity.into(),
        order.flags.into(),
        order.time_in_force as u64,
        order.self_trade as u64,
        order.good_till.into(),
    ];
    PyTuple::new(py, fields)
}

/// The fields of the packed record.
fn event_tuple<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyTuple>> {
    let fields: [u64; 14] = [
        event.sequence,
        event.instrument,
        event.order_id,
        event.taker_order_id,
        event.account.into(),
        event.taker_account.into(),
        event.price.into(),
        event.quantity.into(),
        event.open.into(),
        event.taker_open.into(),
        event.reason.0.into(),
        event.kind as u64,
        event.side as u64,
        event.kept_priority.into(),
    ];
    PyTuple::new(py, fields)
}

/// What a request came to, for Python.
fn answer<T, E: Into<PyErr>>(result: Result<T, Failure<E>>) -> PyResult<T> {
    result.map_err(|failure| match failure {
        Failure::Caller(error) => PyValueError::new_err(error.to_string()),
        Failure::Desk(error) => error.into(),
    })
}

/// Does `$call` with the right desk for `$core`.
macro_rules! with_desk {
    ($core:ident, $py:ident, $exchange:ident, $desk:ident => $call:expr) => {{
        let $exchange = &mut $core.exchange;
        if $core.callables.is_empty() {
            let $desk = &mut Open;
            answer($call)
        } else {
            let $desk = &mut PythonDesk { py: $py, callables: &mut $core.callables };
            answer($call)
        }
    }};
}

/// Many order books under one event sequence. Events gather until `run` or `take` hands them out,
/// 64 bytes each.
#[pyclass(module = "novate.native._native")]
pub struct MatchingCore {
    exchange: Exchange,
    callables: Callables,
}

#[pymethods]
impl MatchingCore {
    /// Callables or None: `admit(stage, order, price, quantity, counterparty, earlier, news)` to
    /// (quantity, reason number), where `earlier` counts the planned fills and `news` are the last
    /// of them as (maker, taker, quantity); `position(account, instrument)`; `listen(event)`.
    #[new]
    fn new(
        admit: Option<Py<PyAny>>,
        position: Option<Py<PyAny>>,
        listen: Option<Py<PyAny>>,
    ) -> Self {
        let callables = Callables { admit, position, listen, told: 0 };
        Self { exchange: Exchange::default(), callables }
    }

    /// The names of the books' own reasons, by number; those of `admit` and `cancel` may go on
    /// from 256.
    #[staticmethod]
    fn reasons() -> Vec<&'static str> {
        Reason::NAMES.to_vec()
    }

    /// A new order; the lots that traded at once.
    #[expect(clippy::too_many_arguments, reason = "an order, one integer a field")]
    fn submit(
        &mut self,
        py: Python<'_>,
        now: &Bound<'_, PyAny>,
        order_id: &Bound<'_, PyAny>,
        account: &Bound<'_, PyAny>,
        owner_group: &Bound<'_, PyAny>,
        instrument: &Bound<'_, PyAny>,
        side: &Bound<'_, PyAny>,
        price: &Bound<'_, PyAny>,
        quantity: &Bound<'_, PyAny>,
        flags: &Bound<'_, PyAny>,
        time_in_force: &Bound<'_, PyAny>,
        self_trade: &Bound<'_, PyAny>,
        good_till: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        let now = word32("now", now)?;
        let order = Order {
            order_id: word64("order_id", order_id)?,
            account: word32("account", account)?,
            owner_group: word32("owner_group", owner_group)?,
            price: term(signed64("price", price)?),
            quantity: term(signed64("quantity", quantity)?),
            good_till: word32("good_till", good_till)?,
            side: member("side", side, Side::from_number, 1)?,
            flags: all_flags(flags)?,
            time_in_force: member("time_in_force", time_in_force, TimeInForce::from_number, 2)?,
            self_trade: member("self_trade", self_trade, SelfTrade::from_number, 2)?,
        };
        let instrument = word64("instrument", instrument)?;
        let before = self.exchange.traded();
        with_desk!(self, py, exchange, desk => exchange.submit(desk, instrument, &order, now))?;
        Ok(self.exchange.traded() - before)
    }

    /// A revision of a resting order; the lots that traded at once.
    #[expect(clippy::too_many_arguments, reason = "a revision, one integer a field")]
    fn amend(
        &mut self,
        py: Python<'_>,
        now: &Bound<'_, PyAny>,
        order_id: &Bound<'_, PyAny>,
        account: &Bound<'_, PyAny>,
        instrument: &Bound<'_, PyAny>,
        price: &Bound<'_, PyAny>,
        quantity: &Bound<'_, PyAny>,
        good_till: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        let now = word32("now", now)?;
        let revision = Revision {
            order_id: word64("order_id", order_id)?,
            price: signed64("price", price)?,
            quantity: signed64("quantity", quantity)?,
            good_till: word32("good_till", good_till)?,
        };
        let (account, instrument) =
            (word32("account", account)?, word64("instrument", instrument)?);
        let before = self.exchange.traded();
        with_desk!(self, py, exchange, desk => {
            exchange.amend(desk, instrument, account, &revision, now)
        })?;
        Ok(self.exchange.traded() - before)
    }

    /// Takes one order out, for a reason by number.
    fn cancel(
        &mut self,
        py: Python<'_>,
        now: &Bound<'_, PyAny>,
        order_id: &Bound<'_, PyAny>,
        account: &Bound<'_, PyAny>,
        instrument: &Bound<'_, PyAny>,
        reason: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (now, order_id) = (word32("now", now)?, word64("order_id", order_id)?);
        let (account, instrument) =
            (word32("account", account)?, word64("instrument", instrument)?);
        let reason = Reason(word16("reason", reason)?);
        with_desk!(self, py, exchange, desk => {
            exchange.cancel(desk, instrument, account, order_id, now, reason)
        })
    }

    /// Takes out every order and quote of an account, for a reason by number.
    fn cancel_all(
        &mut self,
        py: Python<'_>,
        now: &Bound<'_, PyAny>,
        account: &Bound<'_, PyAny>,
        reason: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (now, account) = (word32("now", now)?, word32("account", account)?);
        let reason = Reason(word16("reason", reason)?);
        with_desk!(self, py, exchange, desk => exchange.cancel_all(desk, account, now, reason))
    }

    /// Cancels in every book what ends at `now` or before.
    fn expire(&mut self, py: Python<'_>, now: &Bound<'_, PyAny>) -> PyResult<()> {
        let now = word32("now", now)?;
        with_desk!(self, py, exchange, desk => exchange.expire(desk, now))
    }

    /// Many requests in one call, 56 bytes each: bytes, or a contiguous uint8 array. The events,
    /// earlier ones first that were not taken.
    fn run<'py>(&mut self, py: Python<'py>, records: &Bound<'py, PyAny>) -> PyResult<Bytes<'py>> {
        if let Ok(records) = records.cast::<PyBytes>() {
            self.run_slice(py, records.as_bytes())?;
        } else if let Ok(array) = records.cast::<PyArray1<u8>>() {
            // copied, so that other threads may do with the array what they like
            self.run_slice(py, &array.to_vec()?)?;
        } else {
            let kind = records.get_type().name()?;
            let message =
                format!("records is a {kind}, must be bytes or a uint8 array of shape (n,)");
            return Err(PyValueError::new_err(message));
        }
        Ok(self.take(py))
    }

    /// The events since the last call that handed them out.
    fn take<'py>(&mut self, py: Python<'py>) -> Bytes<'py> {
        PyArray1::from_vec(py, self.exchange.take().into_flattened())
    }

    /// The instruments that have a book, ascending.
    fn instruments(&self) -> Vec<u64> {
        self.exchange.instruments().collect()
    }

    /// Best price of a side of a book, None if it is empty. The book comes to be, as by all that
    /// follows.
    fn best_price(
        &mut self,
        instrument: &Bound<'_, PyAny>,
        side: &Bound<'_, PyAny>,
    ) -> PyResult<Option<u32>> {
        let side = member("side", side, Side::from_number, 1)?;
        Ok(self.exchange.book(word64("instrument", instrument)?).ladder(side).best_price())
    }

    /// The best levels of a side: price, quantity, orders.
    fn depth(
        &mut self,
        instrument: &Bound<'_, PyAny>,
        side: &Bound<'_, PyAny>,
        levels: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<(u32, u64, u32)>> {
        let side = member("side", side, Side::from_number, 1)?;
        let levels = word32("levels", levels)? as usize;
        let book = self.exchange.book(word64("instrument", instrument)?);
        let found = book.ladder(side).depth(levels).into_iter();
        Ok(found.map(|level| (level.price, level.quantity, level.orders)).collect())
    }

    /// The current revision of a resting order and its open quantity.
    fn resting<'py>(
        &mut self,
        py: Python<'py>,
        instrument: &Bound<'py, PyAny>,
        order_id: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(Bound<'py, PyTuple>, u32)>> {
        let instrument = word64("instrument", instrument)?;
        let found = self.exchange.book(instrument).resting(word64("order_id", order_id)?);
        found
            .map(|resting| Ok((order_tuple(py, instrument, &resting.order)?, resting.open)))
            .transpose()
    }

    /// Number of resting orders of a book.
    fn count(&mut self, instrument: &Bound<'_, PyAny>) -> PyResult<usize> {
        Ok(self.exchange.book(word64("instrument", instrument)?).len())
    }
}

impl MatchingCore {
    fn run_slice(&mut self, py: Python<'_>, records: &[u8]) -> PyResult<()> {
        if self.callables.is_empty() {
            let exchange = &mut self.exchange;
            return answer(detached(py, || exchange.run(&mut Open, records))?);
        }
        let desk = &mut PythonDesk { py, callables: &mut self.callables };
        answer(self.exchange.run(desk, records))
    }
}
