//! The exact simulator of orders.

use numpy::{PyArray1, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tradewind_kernels::sim as s;

use crate::arrays::to_py;

type In<'py> = PyReadonlyArray1<'py, f64>;
/// Mantissa and digits after the point.
type Exact = (i128, u32);
/// One report: step, id, what, code, side, kind, ticks, lots, fee (or charge) in 1e-8, taker, reference.
type Row = (i64, u64, u8, u8, i64, u8, i64, i64, i128, bool, f64);

fn exact((mantissa, scale): Exact) -> s::Dec {
    s::Dec::new(mantissa, scale)
}

/// Exact simulator of one pair on a spot or leveraged account.
#[pyclass(module = "_tradecore")]
struct OrderSim {
    sim: s::OrderSim,
    /// Reports that `advance` has handed out.
    told: usize,
}

impl OrderSim {
    fn row(r: &s::Report) -> Row {
        let fee = r.fee.mantissa * 10_i128.pow(8 - r.fee.scale.min(8));
        (
            r.step,
            r.id,
            r.what as u8,
            r.code as u8,
            r.side,
            r.kind as u8,
            r.ticks,
            r.lots,
            fee,
            r.taker,
            r.reference,
        )
    }
}

/// Finer bars as Python passes them: five columns, first rows, counts.
type Finer<'py> = (
    [In<'py>; 5],
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
);

fn parts<'a>((values, first, count): &'a Finer<'_>) -> PyResult<s::Parts<'a>> {
    let [o, h, l, c, v] = values;
    Ok(s::Parts {
        values: [
            o.as_slice()?,
            h.as_slice()?,
            l.as_slice()?,
            c.as_slice()?,
            v.as_slice()?,
        ],
        first: first.as_slice()?,
        count: count.as_slice()?,
    })
}

/// Views of the five columns and the flags.
struct Held<'py> {
    values: [In<'py>; 5],
    flags: PyReadonlyArray1<'py, u8>,
}

impl Held<'_> {
    fn columns(&self) -> PyResult<s::Columns<'_>> {
        let [o, h, l, c, v] = &self.values;
        Ok(s::Columns {
            values: [
                o.as_slice()?,
                h.as_slice()?,
                l.as_slice()?,
                c.as_slice()?,
                v.as_slice()?,
            ],
            flags: self.flags.as_slice()?,
        })
    }
}

#[pymethods]
impl OrderSim {
    /// `steps`: tick, lot, least notional; `fees`: maker, taker; `slip`: kind (0 none, 1 fixed, 2 square root,
    /// 3 volume share) and its numbers; `half_spread`: a fraction; `balances`: base, quote.
    #[new]
    #[pyo3(signature = (steps, fees, fee_received, half_spread, slip, share, through, latency, balances, /))]
    #[allow(clippy::too_many_arguments)] // the rules of a market, as Python passes them
    fn new(
        steps: [Exact; 3],
        fees: [Exact; 2],
        fee_received: bool,
        half_spread: f64,
        slip: (u8, [f64; 3]),
        share: Option<f64>,
        through: i64,
        latency: i64,
        balances: [Exact; 2],
    ) -> PyResult<Self> {
        let (kind, [a, b, c]) = slip;
        let slip = match kind {
            0 => s::Slip::None,
            1 => s::Slip::Fixed(a),
            2 => s::Slip::SquareRoot {
                prefactor: a,
                most: b,
                alpha: c,
                seen: None,
            },
            3 => s::Slip::VolumeShare { limit: a, impact: b },
            _ => return Err(PyValueError::new_err("expected slippage of kind 0, 1, 2 or 3")),
        };
        let rules = s::Rules {
            tick: exact(steps[0]),
            lot: exact(steps[1]),
            min_notional: exact(steps[2]),
            fees: fees.map(exact),
            half_spread,
            fee_received,
            share,
            through,
            latency,
        };
        let sim = s::OrderSim::new(rules, slip, balances.map(exact)).map_err(to_py)?;
        Ok(Self { sim, told: 0 })
    }

    /// Send an order, return its id.
    #[pyo3(signature = (side, kind, lots, limit=0, stop=0, trail=0.0, trail_frac=false, force=0, expire=-1, post_only=false, reduce_only=false, list=0, parent=0, /), text_signature = "($self, side, kind, lots, limit=0, stop=0, trail=0.0, trail_frac=False, force=0, expire=-1, post_only=False, reduce_only=False, list=0, parent=0, /)")]
    #[allow(clippy::too_many_arguments)] // the fields of an order, as Python passes them
    fn submit(
        &mut self,
        side: i64,
        kind: u8,
        lots: i64,
        limit: i64,
        stop: i64,
        trail: f64,
        trail_frac: bool,
        force: u8,
        expire: i64,
        post_only: bool,
        reduce_only: bool,
        list: u64,
        parent: u64,
    ) -> PyResult<u64> {
        let kind =
            s::Kind::of(kind).ok_or_else(|| PyValueError::new_err("expected an order type from 0 to 6"))?;
        let force = match force {
            0 => s::Force::Gtc,
            1 => s::Force::Ioc,
            2 => s::Force::Fok,
            _ => return Err(PyValueError::new_err("expected a time in force from 0 to 2")),
        };
        let ticket = s::Ticket {
            side,
            kind,
            lots,
            limit,
            stop,
            trail,
            trail_frac,
            force,
            expire,
            post_only,
            reduce_only,
            list,
            parent,
        };
        self.sim.submit(ticket).map_err(to_py)
    }

    /// Make the account a leveraged one: `rates` are leverage, maintenance, liquidation fee, interest per bar on base
    /// and on quote.
    #[pyo3(signature = (perpetual, rates, /))]
    fn lend(&mut self, perpetual: bool, rates: [Exact; 5]) -> PyResult<()> {
        let [leverage, maintenance, liquidation_fee, base, quote] = rates.map(exact);
        let terms = s::Terms {
            perpetual,
            leverage,
            maintenance,
            liquidation_fee,
            borrow: [base, quote],
        };
        self.sim.lend(terms).map_err(to_py)
    }

    /// Say what the next bar brings: funding (NaN: none), whether it is assumed, the mark (NaN: none), missing bars.
    #[pyo3(signature = (funding, assumed, mark, missing, /))]
    fn carry(&mut self, funding: f64, assumed: bool, mark: [f64; 4], missing: i64) -> PyResult<()> {
        let carry = s::Carry {
            funding,
            assumed,
            mark,
            missing,
        };
        self.sim.carry(carry).map_err(to_py)
    }

    /// Say what the bars from the next one on bring, in columns of one length.
    #[pyo3(signature = (funding, assumed, marks, missing, /))]
    fn carries(
        &mut self,
        funding: In<'_>,
        assumed: bool,
        marks: [In<'_>; 4],
        missing: PyReadonlyArray1<'_, i64>,
    ) -> PyResult<()> {
        let (funding, missing) = (funding.as_slice()?, missing.as_slice()?);
        let [open, high, low, close] = &marks;
        let marks = [
            open.as_slice()?,
            high.as_slice()?,
            low.as_slice()?,
            close.as_slice()?,
        ];
        if missing.len() != funding.len() || marks.iter().any(|c| c.len() != funding.len()) {
            return Err(PyValueError::new_err("expected columns of one length"));
        }
        let rows = (0..funding.len())
            .map(|i| s::Carry {
                funding: funding[i],
                assumed,
                mark: marks.map(|c| c[i]),
                missing: missing[i],
            })
            .collect();
        self.sim.carries(rows).map_err(to_py)
    }

    /// Ask to take an order back.
    #[pyo3(signature = (id, /))]
    fn cancel(&mut self, id: u64) {
        self.sim.cancel(id);
    }

    /// Take the next bar, return what happened in it.
    #[pyo3(signature = (open, high, low, close, volume, filled_forward=false, /))]
    fn advance(
        &mut self,
        open: f64,
        high: f64,
        low: f64,
        close: f64,
        volume: f64,
        filled_forward: bool,
    ) -> PyResult<Vec<Row>> {
        let bar = s::Bar {
            open,
            high,
            low,
            close,
            volume,
            filled_forward,
        };
        self.sim.advance(&bar).map_err(to_py)?;
        let rows = self.sim.reports[self.told..].iter().map(Self::row).collect();
        self.told = self.sim.reports.len();
        Ok(rows)
    }

    /// Take the next bar by its finer bars (open, high, low, close, volume each), return what happened in it.
    #[pyo3(signature = (open, high, low, close, volume, finer, /))]
    fn advance_parts(
        &mut self,
        open: f64,
        high: f64,
        low: f64,
        close: f64,
        volume: f64,
        finer: Vec<[f64; 5]>,
    ) -> PyResult<Vec<Row>> {
        let bar = |[open, high, low, close, volume]: [f64; 5]| s::Bar {
            open,
            high,
            low,
            close,
            volume,
            filled_forward: false,
        };
        let whole = bar([open, high, low, close, volume]);
        self.sim
            .advance_parts(&whole, finer.into_iter().map(bar))
            .map_err(to_py)?;
        let rows = self.sim.reports[self.told..].iter().map(Self::row).collect();
        self.told = self.sim.reports.len();
        Ok(rows)
    }

    /// Run a signal with protective orders over columns; write the equity.
    #[pyo3(signature = (columns, flags, signal, protection, equity, finer=None, /))]
    #[allow(clippy::too_many_arguments)] // the columns of a run, as Python passes them
    fn simulate(
        &mut self,
        py: Python<'_>,
        columns: [In<'_>; 5],
        flags: PyReadonlyArray1<'_, u8>,
        signal: In<'_>,
        protection: [f64; 4],
        mut equity: PyReadwriteArray1<'_, f64>,
        finer: Option<Finer<'_>>,
    ) -> PyResult<()> {
        let held = Held {
            values: columns,
            flags,
        };
        let finer = finer.as_ref().map(parts).transpose()?;
        let (columns, signal, equity) = (held.columns()?, signal.as_slice()?, equity.as_slice_mut()?);
        let [size, stop, target, trail] = protection;
        let p = s::Protection {
            size,
            stop,
            target,
            trail,
        };
        let sim = &mut self.sim;
        py.detach(|| s::simulate(sim, columns, finer, signal, p, equity))
            .map_err(to_py)
    }

    /// Take every bar of the columns and call `on_bar(i, close)` after each; write the equity.
    #[pyo3(signature = (columns, flags, on_bar, equity, finer=None, /))]
    fn drive<'py>(
        slf: &Bound<'py, Self>,
        columns: [In<'py>; 5],
        flags: PyReadonlyArray1<'py, u8>,
        on_bar: &Bound<'py, PyAny>,
        mut equity: PyReadwriteArray1<'py, f64>,
        finer: Option<Finer<'py>>,
    ) -> PyResult<()> {
        let held = Held {
            values: columns,
            flags,
        };
        let (columns, equity) = (held.columns()?, equity.as_slice_mut()?);
        let bars = columns.check().map_err(to_py)?;
        let finer = finer.as_ref().map(parts).transpose()?;
        if let Some(finer) = finer {
            finer.check(bars).map_err(to_py)?;
        }
        let (mut seen, mut owned) = (u64::MAX, [0.0; 2]);
        for (i, value) in equity.iter_mut().enumerate().take(bars) {
            let bar = columns.bar(i);
            {
                let mut me = slf.try_borrow_mut()?;
                match finer {
                    Some(finer) => me.sim.advance_parts(&bar, finer.of(i)),
                    None => me.sim.advance(&bar),
                }
                .map_err(to_py)?;
                if seen != me.sim.moves() {
                    seen = me.sim.moves();
                    owned = me.sim.balances().map(s::Dec::to_f64);
                }
            }
            *value = owned[1] + owned[0] * bar.close;
            on_bar.call1((i, bar.close))?;
        }
        Ok(())
    }

    /// All reports as 64-bit words, or the fills only.
    #[pyo3(signature = (fills_only, /))]
    fn reports<'py>(&self, py: Python<'py>, fills_only: bool) -> PyResult<Bound<'py, PyArray1<u64>>> {
        let words = s::report_words(&self.sim, fills_only).map_err(to_py)?;
        Ok(PyArray1::from_vec(py, words))
    }

    /// Whether an order is on its way or in the book.
    #[pyo3(signature = (id, /))]
    fn is_live(&self, id: u64) -> bool {
        self.sim.is_live(id)
    }

    /// Lots filled of an order.
    #[pyo3(signature = (id, /))]
    fn filled(&self, id: u64) -> i64 {
        self.sim.filled(id)
    }

    /// Base and quote, each as mantissa and digits after the point.
    #[getter]
    fn balances(&self) -> [Exact; 2] {
        self.sim.balances().map(|d| (d.mantissa, d.scale))
    }

    /// Lots owned, whole ones only; below 0: sold short.
    #[getter]
    fn position(&self) -> PyResult<i64> {
        self.sim.position().map_err(to_py)
    }

    /// The last step taken, -1 before the first.
    #[getter]
    fn step(&self) -> i64 {
        self.sim.step()
    }
}

/// Add this file's names to the module.
pub fn register(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<OrderSim>()
}
