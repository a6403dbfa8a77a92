//! `RiskView` and `Portfolios`: prices, risk arrays and margins of the law, many at a time.
//!
//! Numbers here are signed, so arrays are `int64` (ids and offsets `uint64`, flags `bool`). Margins
//! may pass 64 bits and come as Python integers.

use std::sync::Arc;

use novate_risk::bounds::{NUMBER_LIMIT, PRICE_MAX};
use novate_risk::pricing::{Price, TOTAL_VOL_MAX, option_value};
use novate_risk::smile::NODES;
use novate_risk::{
    ExpiryFields, Holding, Instrument, Margin, MarketParameters, MarketView, Portfolio,
    RiskParameters, Scenario, Snapshot, concentration_rate as rate_of_interest, ramp, smile,
};
use numpy::{Element, PyArray1, PyArray2, PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

use crate::arrays::vector;
use crate::detached;

/// Value, maintenance and initial margin.
type Triple = (i128, i128, i128);

/// The numbers and shape of a C-contiguous array; `width` none: (n,), else (n, width).
fn numbers<T: Element + Copy>(
    field: &str,
    array: &Bound<'_, PyAny>,
    width: Option<usize>,
) -> PyResult<Vec<T>> {
    let dtype = T::get_dtype(array.py());
    let expected = width.map_or("(n,)".into(), |width| format!("(n, {width})"));
    let wrong = |what: String| {
        PyValueError::new_err(format!(
            "{field} is {what}, must be a C-contiguous {dtype} array of shape {expected}"
        ))
    };
    let Ok(array) = array.cast::<PyArrayDyn<T>>() else {
        let kind = match array.getattr("dtype") {
            Ok(found) => format!("an array of {found}"),
            Err(_) => format!("a {}", array.get_type().name()?),
        };
        return Err(wrong(kind));
    };
    let shape = array.shape();
    let fits = match width {
        None => shape.len() == 1,
        Some(width) => shape.len() == 2 && shape[1] == width,
    };
    if !fits || !array.is_c_contiguous() {
        return Err(wrong(format!("an array of shape {shape:?}")));
    }
    array.to_vec().map_err(|error| wrong(error.to_string()))
}

/// An (N,) array of int64.
fn fixed<const N: usize>(field: &str, array: &Bound<'_, PyAny>) -> PyResult<[i64; N]> {
    let numbers = numbers::<i64>(field, array, None)?;
    let length = numbers.len();
    numbers.try_into().map_err(|_| {
        PyValueError::new_err(format!("{field} has shape ({length},), must be ({N},)"))
    })
}

fn same_length(field: &str, length: usize, other: &str, expected: usize) -> PyResult<()> {
    if length == expected {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "{field} has {length} entries, must have {expected} like {other}"
    )))
}

/// An error naming the first of `values` that is not in `[low, high]`.
fn in_range(field: &str, values: &[i64], low: i64, high: i64) -> PyResult<()> {
    match values.iter().position(|value| !(low..=high).contains(value)) {
        None => Ok(()),
        Some(place) => Err(PyValueError::new_err(format!(
            "{field}[{place}] is {}, must be in [{low}, {high}]",
            values[place]
        ))),
    }
}

/// An (n,) array of the ids of instruments.
fn instrument_ids(array: &Bound<'_, PyAny>) -> PyResult<Vec<u64>> {
    let ids = vector("ids", array)?;
    for (place, &id) in ids.iter().enumerate() {
        check_id(&format!("ids[{place}]"), id)?;
    }
    Ok(ids)
}

fn check_id(field: &str, id: u64) -> PyResult<()> {
    let wrong = |error| PyValueError::new_err(format!("{field} is {id}, no instrument: {error}"));
    Instrument::decode(id).map(|_| ()).map_err(wrong)
}

fn triple(margin: Margin) -> Triple {
    (margin.value, margin.maintenance, margin.initial)
}

fn instruments_of(ids: &[u64]) -> Vec<Instrument> {
    ids.iter().filter_map(|&id| Instrument::decode(id).ok()).collect()
}

/// Black-76 values (n,) of options by forward, strike, total volatility (2^-24) and side.
#[pyfunction]
pub fn option_values<'py>(
    py: Python<'py>,
    forwards: &Bound<'py, PyAny>,
    strikes: &Bound<'py, PyAny>,
    total_vols: &Bound<'py, PyAny>,
    calls: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let forwards = numbers::<i64>("forwards", forwards, None)?;
    let strikes = numbers::<i64>("strikes", strikes, None)?;
    let total_vols = numbers::<i64>("total_vols", total_vols, None)?;
    let calls = numbers::<bool>("calls", calls, None)?;
    same_length("strikes", strikes.len(), "forwards", forwards.len())?;
    same_length("total_vols", total_vols.len(), "forwards", forwards.len())?;
    same_length("calls", calls.len(), "forwards", forwards.len())?;
    in_range("forwards", &forwards, 0, PRICE_MAX)?;
    in_range("strikes", &strikes, 0, PRICE_MAX)?;
    in_range("total_vols", &total_vols, 0, TOTAL_VOL_MAX)?;
    let values = detached(py, move || {
        let pairs = forwards.iter().zip(&strikes);
        let rows = pairs.zip(total_vols.iter().zip(&calls));
        rows.map(|((&forward, &strike), (&total_vol, &is_call))| {
            option_value(Price::new(forward), Price::new(strike), total_vol, is_call)
        })
        .collect::<Vec<i64>>()
    })?;
    Ok(PyArray1::from_vec(py, values))
}

/// Whether a reported smile may replace the last one; `nearer`: volatilities and seconds left of
/// the next earlier expiry.
#[pyfunction]
pub fn smile_is_admissible(
    vols: Vec<i64>,
    seconds_left: i64,
    vol_min_ppm: i64,
    vol_max_ppm: i64,
    nearer: Option<(Vec<i64>, i64)>,
) -> PyResult<bool> {
    in_range("seconds_left", &[seconds_left], 0, NUMBER_LIMIT - 1)?;
    if let Some((nearer_vols, nearer_s)) = &nearer {
        same_length("nearer volatilities", nearer_vols.len(), "every smile", NODES)?;
        in_range("nearer seconds left", &[*nearer_s], 0, NUMBER_LIMIT - 1)?;
    }
    let nearer = nearer.as_ref().map(|(vols, seconds)| (&vols[..], *seconds));
    Ok(smile::smile_is_admissible(&vols, seconds_left, vol_min_ppm, vol_max_ppm, nearer))
}

/// One market at one moment.
///
/// `market`: strike tick, largest premium, default volatility. `risk`: the twelve scalars in the
/// order of the law's fields. `scenarios` (s, 3): spot move, direction, weight. `moment`: time,
/// index, premium, mean, concentration rates in maintenance and initial margin. `expiries` (e, 13):
/// day, basis and eleven volatilities, sorted by day.
#[pyclass(frozen, module = "novate.native._native")]
pub struct RiskView(MarketView);

#[pymethods]
impl RiskView {
    #[new]
    fn new(
        market: &Bound<'_, PyAny>,
        risk: &Bound<'_, PyAny>,
        scenarios: &Bound<'_, PyAny>,
        moment: &Bound<'_, PyAny>,
        expiries: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let scenarios = numbers::<i64>("scenarios", scenarios, Some(3))?;
        let rows = scenarios.as_chunks::<3>().0.iter();
        let scenarios = rows.map(|&[spot_ppm, vol_direction, weight_ppm]| Scenario {
            spot_ppm,
            vol_direction,
            weight_ppm,
        });
        let risk = risk_parameters(scenarios.collect(), fixed("risk", risk)?)?;
        let [strike_tick, premium_max_ppm, vol_default_ppm] = fixed("market", market)?;
        let limits = [strike_tick, premium_max_ppm, vol_default_ppm];
        in_range("market", &limits, 0, NUMBER_LIMIT - 1)?;
        let moment = fixed("moment", moment)?;
        let [time, index_price, premium_ppm, mean, maintenance, initial] = moment;
        in_range("moment", &[time], 0, NUMBER_LIMIT - 1)?;
        in_range("prices of moment", &[index_price, mean], 0, PRICE_MAX)?;
        in_range("rates of moment", &[maintenance, initial], 0, NUMBER_LIMIT - 1)?;
        let expiries = numbers::<i64>("expiries", expiries, Some(2 + NODES))?;
        let rows = expiries.as_chunks::<{ 2 + NODES }>().0.iter();
        let expiries = rows.map(|row| ExpiryFields {
            day: row[0],
            basis_ppm: row[1],
            vols_ppm: row[2..].to_vec(),
        });
        let expiries: Vec<ExpiryFields> = expiries.collect();
        let vols: Vec<i64> = expiries.iter().flat_map(|fields| fields.vols_ppm.clone()).collect();
        in_range("volatilities of expiries", &vols, 0, NUMBER_LIMIT - 1)?;
        let snapshot = Snapshot { time, index_price, premium_ppm, mean, expiries };
        let parameters = valuation_parameters(strike_tick, premium_max_ppm, vol_default_ppm, risk);
        let (parameters, snapshot) = (Arc::new(parameters), Arc::new(snapshot));
        Ok(Self(MarketView::new(parameters, snapshot, time, maintenance, initial)))
    }

    /// Marks (n,) of instruments by id, ticks.
    fn marks<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let ids = instrument_ids(ids)?;
        let work = || ids.iter().map(|&id| self.0.mark_of_id(id)).collect::<Vec<i64>>();
        Ok(PyArray1::from_vec(py, detached(py, work)?))
    }

    /// Terms (n, 8) of instruments: kind, strike, forward, mean, seconds left, and total volatility
    /// with volatility down, as it is and up.
    fn terms<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray2<i64>>> {
        let instruments = instruments_of(&instrument_ids(ids)?);
        let row = |&instrument: &Instrument| {
            let terms = self.0.terms_of(instrument);
            let [down, flat, up] = terms.total_vols;
            let kind = i64::from(terms.kind as u8);
            [kind, terms.strike, terms.forward, terms.mean, terms.seconds_left, down, flat, up]
        };
        let rows = detached(py, || instruments.iter().flat_map(row).collect::<Vec<i64>>())?;
        PyArray1::from_vec(py, rows).reshape([instruments.len(), 8])
    }

    /// Risk of one lot of each instrument: rows (n, 10) of mark, expiry day, whether an option,
    /// basis, vega, highest value, spacing, sag, worst loss long and short; and the change of value
    /// in each scenario (n, s).
    #[allow(clippy::type_complexity)] // two arrays
    fn risk_arrays<'py>(
        &self,
        py: Python<'py>,
        ids: &Bound<'py, PyAny>,
    ) -> PyResult<(Bound<'py, PyArray2<i64>>, Bound<'py, PyArray2<i64>>)> {
        let ids = instrument_ids(ids)?;
        let arrays = detached(py, || self.0.risk_arrays(ids.iter().copied()))?;
        let scenarios = self.0.parameters().risk.scenarios.len();
        let mut rows = Vec::with_capacity(10 * arrays.len());
        let mut changes = Vec::with_capacity(scenarios * arrays.len());
        for lot in &arrays {
            rows.extend([lot.base, lot.expiry_day.into(), lot.is_option.into(), lot.basis]);
            rows.extend([lot.vega, lot.highest, lot.spacing, lot.sag]);
            rows.extend([lot.worst_long, lot.worst_short]);
            changes.extend(lot.changes[..scenarios].iter().map(|&change| i64::from(change)));
        }
        Ok((
            PyArray1::from_vec(py, rows).reshape([arrays.len(), 10])?,
            PyArray1::from_vec(py, changes).reshape([arrays.len(), scenarios])?,
        ))
    }

    /// Margins of portfolios from scratch: holdings `offsets[i]:offsets[i + 1]` of the arrays.
    /// Where `settled`, `prices` holds the settlement value of a lot.
    fn margins(
        &self,
        py: Python<'_>,
        ids: &Bound<'_, PyAny>,
        quantities: &Bound<'_, PyAny>,
        settled: &Bound<'_, PyAny>,
        prices: &Bound<'_, PyAny>,
        offsets: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<Triple>> {
        let ids = instrument_ids(ids)?;
        let quantities = numbers::<i64>("quantities", quantities, None)?;
        let settled = numbers::<bool>("settled", settled, None)?;
        let prices = numbers::<i64>("prices", prices, None)?;
        same_length("quantities", quantities.len(), "ids", ids.len())?;
        same_length("settled", settled.len(), "ids", ids.len())?;
        same_length("prices", prices.len(), "ids", ids.len())?;
        let bounds = crate::arrays::offsets(&vector("offsets", offsets)?, ids.len())?;
        let holding = |place: usize| Holding {
            instrument: ids[place],
            quantity: quantities[place],
            settlement: settled[place].then_some(prices[place]),
        };
        detached(py, || {
            let margin = |pair: &[usize]| {
                let holdings: Vec<Holding> = (pair[0]..pair[1]).map(holding).collect();
                triple(novate_risk::portfolio_margin(&self.0, &holdings))
            };
            bounds.windows(2).map(margin).collect()
        })
    }

    /// The market's concentration rate at some open interest (lots), ppm.
    fn concentration_rate(&self, open_interest_lots: i128) -> i64 {
        rate_of_interest(self.0.parameters(), open_interest_lots, self.0.index())
    }

    /// The rate in maintenance margin `dt` seconds after `rate_before`, ppm.
    fn ramp(&self, rate_before: i64, rate_now: i64, dt: i64) -> i64 {
        ramp(rate_before, rate_now, dt, self.0.parameters())
    }
}

/// Parameters with what valuation reads of them; the rest of the law's is nothing to it.
fn valuation_parameters(
    strike_tick: i64,
    premium_max_ppm: i64,
    vol_default_ppm: i64,
    risk: RiskParameters,
) -> MarketParameters {
    MarketParameters {
        symbol: String::new(),
        price_decimals: 0,
        strike_tick,
        strike_step: 0,
        horizon_days: 0,
        band_ppm: 0,
        gap_s: 0,
        halt_jump_ppm: 0,
        halt_drift_ppm_s: 0,
        funding_rate_max_ppm: 0,
        premium_max_ppm,
        vol_default_ppm,
        penalty_ppm: 0,
        close_penalty_ppm: 0,
        fund_inventory_max: 0,
        deleverage_cap_ppm: 0,
        risk,
    }
}

fn risk_parameters(scenarios: Vec<Scenario>, scalars: [i64; 12]) -> PyResult<RiskParameters> {
    let risk = RiskParameters {
        scenarios,
        vol_up_ppm: scalars[0],
        vol_down_ppm: scalars[1],
        vol_min_ppm: scalars[2],
        vol_max_ppm: scalars[3],
        initial_factor_ppm: scalars[4],
        short_option_minimum_ppm: scalars[5],
        basis_shock_ppm: scalars[6],
        vega_offset_ppm: scalars[7],
        concentration_free: scalars[8],
        concentration_slope_ppm: scalars[9],
        concentration_cap_ppm: scalars[10],
        concentration_ramp_ppm_h: scalars[11],
    };
    if risk.is_well_formed() {
        return Ok(risk);
    }
    let count = risk.scenarios.len();
    Err(PyValueError::new_err(format!(
        "risk {scalars:?} with {count} scenarios is not well-formed: see RiskParameters"
    )))
}

/// Portfolios in one underlying whose margins are kept up to date.
///
/// Portfolio i holds `quantities` of `ids` from `offsets[i]` to `offsets[i + 1]`, each id once.
#[pyclass(module = "novate.native._native")]
pub struct Portfolios(Vec<Portfolio>);

#[pymethods]
impl Portfolios {
    #[new]
    fn new(
        py: Python<'_>,
        view: &RiskView,
        ids: &Bound<'_, PyAny>,
        quantities: &Bound<'_, PyAny>,
        offsets: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let ids = instrument_ids(ids)?;
        let quantities = numbers::<i64>("quantities", quantities, None)?;
        same_length("quantities", quantities.len(), "ids", ids.len())?;
        let bounds = crate::arrays::offsets(&vector("offsets", offsets)?, ids.len())?;
        let view = &view.0;
        let portfolio = |pair: &[usize]| {
            let rows = ids[pair[0]..pair[1]].iter().zip(&quantities[pair[0]..pair[1]]);
            let holdings = rows.map(|(&instrument, &quantity)| Holding {
                instrument,
                quantity,
                settlement: None,
            });
            Portfolio::new(view, &holdings.collect::<Vec<_>>())
        };
        detached(py, || bounds.windows(2).map(portfolio).collect()).map(Self)
    }

    /// The number of portfolios.
    #[getter]
    fn count(&self) -> usize {
        self.0.len()
    }

    /// Makes the position of a portfolio in an instrument so many lots; returns what it was.
    fn set(&mut self, portfolio: usize, id: u64, quantity: i64) -> PyResult<i64> {
        check_id("id", id)?;
        let count = self.0.len();
        match self.0.get_mut(portfolio) {
            Some(found) => Ok(found.set(id, quantity)),
            None => Err(unknown(portfolio, count)),
        }
    }

    /// Instruments and lots of a portfolio, sorted by instrument.
    fn positions(&self, portfolio: usize) -> PyResult<Vec<(u64, i64)>> {
        Ok(self.at(portfolio)?.positions().collect())
    }

    /// Value, maintenance and initial margin of a portfolio.
    fn margin(&self, portfolio: usize) -> PyResult<Triple> {
        Ok(triple(self.at(portfolio)?.margin()))
    }

    /// The same if its position in an instrument were so many lots.
    fn margin_with(&self, portfolio: usize, id: u64, quantity: i64) -> PyResult<Triple> {
        check_id("id", id)?;
        Ok(triple(self.at(portfolio)?.margin_with(id, quantity)))
    }

    /// Values every portfolio at another view of the same market.
    fn move_to(&mut self, py: Python<'_>, view: &RiskView) -> PyResult<()> {
        let portfolios = &mut self.0;
        let view = &view.0;
        detached(py, || portfolios.iter_mut().for_each(|portfolio| portfolio.move_to(view)))
    }

    /// Places (m,) of the portfolios whose cash (n,) and value are below maintenance margin.
    fn below_maintenance<'py>(
        &self,
        py: Python<'py>,
        cash: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyArray1<u64>>> {
        let cash = numbers::<i64>("cash", cash, None)?;
        same_length("cash", cash.len(), "the portfolios", self.0.len())?;
        let is_below = |place: &usize| {
            let margin = self.0[*place].margin();
            i128::from(cash[*place]) + margin.value < margin.maintenance
        };
        let work = || (0..self.0.len()).filter(is_below).map(|place| place as u64).collect();
        Ok(PyArray1::from_vec(py, detached(py, work)?))
    }
}

impl Portfolios {
    fn at(&self, portfolio: usize) -> PyResult<&Portfolio> {
        self.0.get(portfolio).ok_or_else(|| unknown(portfolio, self.0.len()))
    }
}

fn unknown(portfolio: usize, count: usize) -> PyErr {
    PyIndexError::new_err(format!("portfolio is {portfolio}, must be below {count}"))
}
