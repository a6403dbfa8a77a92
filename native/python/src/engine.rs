//! `Engine`: the law at speed, over values in the border encoding.
//!
//! What the law refuses is a `ValueError` of three arguments: family, reason, detail. Bytes that
//! are
//! no value are a `ValueError` of one. Work is done without the interpreter. A panic is a
//! `RuntimeError`, and every call after it, for nobody knows what it left half done.

use novate_engine::border::{Encoded, decode, encode};
use novate_engine::holders::{quantity_of, touch_account, underlying_of};
use novate_engine::listing::decode_named;
use novate_engine::public_data::full::decode_full;
use novate_engine::types::journal::Health;
use novate_engine::valuation::{health_after, mark_of_id};
use novate_engine::{Applied, Engine as Core, Law, LawError};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::detached;

/// The fields of a journal, each by itself, and the changed leaves.
type Answer<'py> = (Vec<Bound<'py, PyBytes>>, Bound<'py, PyBytes>);
/// A batch, its `full` data and what came of it.
type SealedAnswer<'py> = (Bound<'py, PyBytes>, Bound<'py, PyBytes>, Answer<'py>);
/// Equity, maintenance and initial margin.
type Triple = (i128, i128, i128);

fn law_error(error: &LawError) -> PyErr {
    PyValueError::new_err((error.family(), error.reason(), error.detail().to_owned()))
}

fn value<T: Encoded>(field: &str, bytes: &[u8]) -> PyResult<T> {
    decode(bytes).map_err(|error| PyValueError::new_err(format!("{field}: {error}")))
}

/// What came of a batch, encoded.
fn parts(applied: &Applied) -> (Vec<Vec<u8>>, Vec<u8>) {
    (applied.journal.parts(), encode(&applied.changes))
}

fn answer<'py>(py: Python<'py>, (journal, changes): &(Vec<Vec<u8>>, Vec<u8>)) -> Answer<'py> {
    let journal = journal.iter().map(|part| PyBytes::new(py, part)).collect();
    (journal, PyBytes::new(py, changes))
}

fn triple(health: Health) -> Triple {
    (health.equity, health.maintenance, health.initial)
}

/// A state that batches are applied to, whole or record by record.
#[pyclass(module = "novate.native._native")]
pub struct Engine {
    core: Core,
    defect: Option<String>,
}

impl Engine {
    /// Runs work on the engine without the interpreter.
    fn run<R: Send>(
        &mut self,
        py: Python<'_>,
        work: impl FnOnce(&mut Core) -> Law<R> + Send,
    ) -> PyResult<R> {
        if let Some(defect) = &self.defect {
            let message = format!("the engine stopped after a {defect}; start a new one");
            return Err(PyRuntimeError::new_err(message));
        }
        let core = &mut self.core;
        match detached(py, move || work(core)) {
            Ok(result) => result.map_err(|error| law_error(&error)),
            Err(defect) => {
                self.defect = Some(defect.value(py).to_string());
                Err(defect)
            }
        }
    }

    /// The same, giving the border encoding of the result.
    fn bytes<'py, R: Encoded>(
        &mut self,
        py: Python<'py>,
        work: impl FnOnce(&mut Core) -> Law<R> + Send,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.run(py, |core| work(core).map(|value| encode(&value)))?;
        Ok(PyBytes::new(py, &bytes))
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(py: Python<'_>, state: &[u8]) -> PyResult<Self> {
        let state = value("state", state)?;
        let core = detached(py, move || Core::new(state))?;
        Ok(Self { core: core.map_err(|error| law_error(&error))?, defect: None })
    }

    /// Judges a whole batch; the journal and the changed leaves.
    fn apply<'py>(&mut self, py: Python<'py>, batch: &[u8]) -> PyResult<Answer<'py>> {
        let batch = value("batch", batch)?;
        let applied = self.run(py, move |core| core.apply(&batch).map(|found| parts(&found)))?;
        Ok(answer(py, &applied))
    }

    /// Judges a batch in the bytes of its `full` form.
    fn apply_data<'py>(&mut self, py: Python<'py>, data: &[u8]) -> PyResult<Answer<'py>> {
        let data = data.to_vec();
        let applied = self.run(py, move |core| {
            let batch = decode_full(&data, &core.state()?.preset)?;
            core.apply(&batch).map(|found| parts(&found))
        })?;
        Ok(answer(py, &applied))
    }

    /// The state, while no batch is open.
    fn state<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.run(py, |core| core.state().map(encode))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The roots of the state before the open batch.
    fn roots<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, |core| Ok(*core.roots()))
    }

    /// Opens a batch; `parameters`: new ones, or none, as an optional value.
    fn begin(
        &mut self,
        py: Python<'_>,
        fork: i64,
        parameters: &[u8],
        reset_slots: bool,
    ) -> PyResult<()> {
        let parameters = value("parameters", parameters)?;
        self.run(py, move |core| core.begin(fork, parameters, reset_slots))
    }

    /// Forgets the open batch.
    fn abandon(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |core| {
            core.abandon();
            Ok(())
        })
    }

    /// Opens a round with its snapshots and inbox requests.
    fn open(&mut self, py: Python<'_>, time: i64, reports: &[u8], requests: &[u8]) -> PyResult<()> {
        let (reports, requests) = (value("reports", reports)?, value("requests", requests)?);
        self.run(py, move |core| core.open(time, reports, requests))
    }

    /// Tries a change of key, epoch or tier.
    fn change(&mut self, py: Python<'_>, change: &[u8]) -> PyResult<()> {
        let change = value("change", change)?;
        self.run(py, move |core| core.change(change))
    }

    /// Tries a touch, a liquidation or a fund's deleveraging.
    fn bring(&mut self, py: Python<'_>, due: &[u8]) -> PyResult<()> {
        let due = value("due", due)?;
        self.run(py, move |core| core.bring(due))
    }

    /// Adds a list of orders to the round's book; the place of the first.
    fn read_orders(&mut self, py: Python<'_>, orders: &[u8]) -> PyResult<usize> {
        let orders = value("orders", orders)?;
        self.run(py, move |core| core.read_orders(orders))
    }

    /// Adds a list of sheets to the round's book; the place of the first.
    fn read_sheets(&mut self, py: Python<'_>, sheets: &[u8]) -> PyResult<usize> {
        let sheets = value("sheets", sheets)?;
        self.run(py, move |core| core.read_sheets(sheets))
    }

    /// Tries a trade, and the margin rule of everyone in it.
    fn trade(&mut self, py: Python<'_>, trade: &[u8]) -> PyResult<()> {
        let trade = value("trade", trade)?;
        self.run(py, move |core| core.trade(trade))
    }

    /// Tries a transfer, position move or withdrawal.
    fn submit_move(&mut self, py: Python<'_>, transaction: &[u8]) -> PyResult<()> {
        let transaction = value("move", transaction)?;
        self.run(py, move |core| core.submit_move(transaction))
    }

    /// Seals the open round.
    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        self.run(py, Core::close)
    }

    /// Seals the batch: the batch, its `full` data, the journal and the changed leaves.
    fn seal<'py>(&mut self, py: Python<'py>) -> PyResult<SealedAnswer<'py>> {
        let (batch, data, applied) = self.run(py, |core| {
            let sealed = core.seal()?;
            Ok((encode(&sealed.batch), sealed.data, parts(&sealed.applied)))
        })?;
        Ok((PyBytes::new(py, &batch), PyBytes::new(py, &data), answer(py, &applied)))
    }

    /// The holder whose margin refused the last record.
    fn blamed(&self) -> Option<i64> {
        self.core.blamed()
    }

    /// An account as it stands now.
    fn account<'py>(&mut self, py: Python<'py>, index: i64) -> PyResult<Bound<'py, PyBytes>> {
        self.bytes(py, move |core| core.draft().account(index).cloned())
    }

    /// Lots an account holds, deleveraging and settlement included.
    fn position(&mut self, py: Python<'_>, account: i64, instrument: i64) -> PyResult<i64> {
        self.run(py, move |core| {
            core.look(|draft| {
                touch_account(draft, account)?;
                Ok(quantity_of(&draft.account(account)?.positions, instrument))
            })
        })
    }

    /// The mark of an instrument at the open round's views.
    fn mark(&mut self, py: Python<'_>, instrument: i64) -> PyResult<i64> {
        self.run(py, move |core| {
            core.look_in_round(|draft| {
                decode_named(instrument)?;
                draft.market(underlying_of(instrument))?;
                mark_of_id(draft, instrument)
            })
        })
    }

    /// Health of an account at the open round's views, as if it had also filled (instrument, signed
    /// lots, price) each.
    fn health_after(
        &mut self,
        py: Python<'_>,
        account: i64,
        fills: Vec<(i64, i64, i64)>,
    ) -> PyResult<Triple> {
        let health = self.run(py, move |core| {
            core.look_in_round(|draft| health_after(draft, account, &fills))
        })?;
        Ok(triple(health))
    }

    /// Accounts with positions whose equity is below maintenance margin at the open round's views,
    /// or that are in liquidation.
    fn below_maintenance(&mut self, py: Python<'_>) -> PyResult<Vec<i64>> {
        self.run(py, Core::below_maintenance)
    }

    /// Accounts that still hold a position in a settled instrument.
    fn holders_of_settled(&mut self, py: Python<'_>) -> PyResult<Vec<i64>> {
        self.run(py, |core| core.holders_of_settled())
    }
}
