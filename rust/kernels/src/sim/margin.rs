//! A leveraged account: what may be opened, and what holding a position costs.
//!
//! The rules of the venue's `margin`, `funds` and `carry` for one pair. Base and quote are signed; a position may be
//! opened up to `leverage` times the equity, is liquidated at `maintenance` of its value (see [`super::liquidation`]),
//! and pays interest on what is short (margin) or funding (perpetual).

use super::bar::Bar;
use super::dec::Dec;
use super::order::{Code, Kind, Order, Report, Stage, What};
use super::venue::{OrderSim, BASE, QUOTE};
use crate::error::{KernelError, Result};

/// Terms of the account.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    /// Funding is exchanged; else interest runs.
    pub perpetual: bool,
    /// Gross exposure per equity up to which positions are opened.
    pub leverage: Dec,
    /// Equity per gross exposure at which it is liquidated.
    pub maintenance: Dec,
    /// Fee of a liquidation, of its value.
    pub liquidation_fee: Dec,
    /// Interest per bar on borrowed base and quote.
    pub borrow: [Dec; 2],
}

/// What a bar brings beside its prices.
#[derive(Debug, Clone, Copy)]
pub struct Carry {
    /// Funding rate that falls due at its close; NaN: none.
    pub funding: f64,
    /// The rate is assumed: either side pays it.
    pub assumed: bool,
    /// Mark price over the bar: open, high, low, close; NaN: none.
    pub mark: [f64; 4],
    /// Bars that are missing before it.
    pub missing: i64,
}

impl Carry {
    /// Nothing.
    pub const NONE: Self = Self {
        funding: f64::NAN,
        assumed: false,
        mark: [f64::NAN; 4],
        missing: 0,
    };

    fn check(&self, row: usize) -> Result<()> {
        let [open, high, low, close] = self.mark;
        let fits = low > 0.0
            && high < f64::INFINITY
            && (low..=high).contains(&open)
            && (low..=high).contains(&close);
        if !(open.is_nan() && high.is_nan() && low.is_nan() && close.is_nan() || fits) {
            let what = "mark: expected 0 < low <= open, close <= high, all finite, or four NaN";
            return Err(KernelError::Row { row, what });
        }
        if self.funding.abs() > 0.1 {
            let what = "funding: expected a fraction of at most 0.1 either way, or NaN";
            return Err(KernelError::Row { row, what });
        }
        if self.missing < 0 {
            let what = "missing: expected a number of bars not below 0";
            return Err(KernelError::Row { row, what });
        }
        Ok(())
    }
}

/// Terms with what follows from them, and what the next bars bring.
#[derive(Debug, Clone)]
pub(super) struct Margin {
    pub(super) terms: Terms,
    /// An exposure yet to be opened asks for its margin and for its fee.
    opening: Dec,
    /// Largest fee taken in quote.
    fee: Dec,
    /// Of the bar under way.
    pub(super) carry: Carry,
    /// The bar is settled by finer ones, which are their own mark.
    pub(super) parted: bool,
    next: Option<Carry>,
    rows: Vec<Carry>,
    /// Step of the first row.
    first: i64,
    close: f64,
    /// Prices strictly between are far from a liquidation, as long as the balances are those of `at`.
    pub(super) band: (f64, f64),
    pub(super) at: u64,
}

impl OrderSim {
    /// Make the account a leveraged one.
    ///
    /// # Errors
    /// [`KernelError::Param`] for terms out of range.
    pub fn lend(&mut self, terms: Terms) -> Result<()> {
        let at_once = terms.leverage.by(terms.maintenance)?;
        if Dec::ONE.above(terms.leverage)? || !Dec::ONE.above(at_once)? || Dec::ZERO.above(at_once)? {
            return Err(KernelError::Param(
                "leverage must be at least 1, maintenance not below 0 and below 1 / leverage",
            ));
        }
        let rates = [terms.liquidation_fee, terms.borrow[BASE], terms.borrow[QUOTE]];
        if rates.iter().any(|rate| rate.mantissa < 0) {
            return Err(KernelError::Param("fees and interest must not be below 0"));
        }
        if terms.perpetual && self.rules.fee_received {
            return Err(KernelError::Param("a perpetual owns no base to pay a fee of"));
        }
        let fee = self.with_fee.minus(Dec::ONE)?;
        self.margin = Some(Box::new(Margin {
            terms,
            opening: Dec::ONE.plus(fee.by(terms.leverage)?)?,
            fee,
            carry: Carry::NONE,
            parted: false,
            next: None,
            rows: Vec::new(),
            first: 0,
            close: f64::NAN,
            band: (0.0, 0.0),
            at: u64::MAX,
        }));
        Ok(())
    }

    /// Whether the account is a leveraged one.
    pub fn leveraged(&self) -> bool {
        self.margin.is_some()
    }

    /// Say what the next bar brings; without it nothing.
    ///
    /// # Errors
    /// [`KernelError::Param`] on a spot account, [`KernelError::Row`] for what cannot be.
    pub fn carry(&mut self, carry: Carry) -> Result<()> {
        carry.check((self.step + 1) as usize)?;
        self.margin_mut()?.next = Some(carry);
        Ok(())
    }

    /// Say what the bars from the next one on bring, one row each.
    ///
    /// # Errors
    /// As [`OrderSim::carry`].
    pub fn carries(&mut self, rows: Vec<Carry>) -> Result<()> {
        let first = self.step + 1;
        for (i, row) in rows.iter().enumerate() {
            row.check(first as usize + i)?;
        }
        let margin = self.margin_mut()?;
        (margin.rows, margin.first) = (rows, first);
        Ok(())
    }

    fn margin_mut(&mut self) -> Result<&mut Margin> {
        let spot = KernelError::Param("a spot account knows no funding, marks or interest");
        self.margin.as_deref_mut().ok_or(spot)
    }

    /// Exposure that a unit of money opens before fees, and what a unit of it asks for.
    pub(super) fn power(&self) -> (f64, f64) {
        match self.margin.as_deref() {
            Some(m) => (m.terms.leverage.to_f64(), m.opening.to_f64()),
            None => (1.0, self.with_fee.to_f64()),
        }
    }

    /// Whether something is held that may be liquidated.
    #[inline]
    pub(super) fn at_risk(&self) -> bool {
        self.margin.is_some() && self.owned[BASE].mantissa != 0
    }

    /// Equity at a price.
    pub(super) fn worth(&self, price: Dec) -> Result<Dec> {
        self.owned[QUOTE].plus(self.owned[BASE].by(price)?)
    }

    /// Size of the position.
    pub(super) fn size(&self) -> Dec {
        let held = self.owned[BASE];
        Dec::new(held.mantissa.abs(), held.scale)
    }

    /// Begin a bar: what it brings, and what fell due before it.
    pub(super) fn carry_over(&mut self, parted: bool) -> Result<()> {
        let step = self.step;
        let Some(m) = self.margin.as_deref_mut() else {
            return Ok(());
        };
        let row = m.rows.get((step - m.first) as usize).copied();
        m.carry = m.next.take().or(row).unwrap_or(Carry::NONE);
        m.parted = parted;
        let (missing, close) = (m.carry.missing, m.close);
        if missing > 0 && !m.terms.perpetual && !close.is_nan() {
            self.interest(missing, close)?;
        }
        Ok(())
    }

    /// End a bar: what falls due at its close.
    pub(super) fn carry_close(&mut self, bar: &Bar) -> Result<()> {
        let Some(m) = self.margin.as_deref_mut() else {
            return Ok(());
        };
        m.close = bar.close;
        let (carry, perpetual) = (m.carry, m.terms.perpetual);
        if !perpetual {
            return self.interest(1, bar.close);
        }
        if carry.funding.is_nan() || self.owned[BASE].mantissa == 0 {
            return Ok(());
        }
        let price = if carry.mark[3].is_nan() {
            bar.close
        } else {
            carry.mark[3]
        };
        let mut rate = rate_of(carry.funding);
        let mut basis = self.owned[BASE].by(Dec::from_f64(price)?)?;
        if carry.assumed {
            (rate.mantissa, basis.mantissa) = (rate.mantissa.abs(), basis.mantissa.abs());
        }
        let amount = charged(basis.by(rate)?)?;
        self.charge(Code::Funding, amount)
    }

    fn interest(&mut self, bars: i64, close: f64) -> Result<()> {
        let Some(m) = self.margin.as_deref() else {
            return Ok(());
        };
        let [base, quote] = m.terms.borrow;
        let worth = self.owned[BASE].by(Dec::from_f64(close)?)?;
        if self.owned[QUOTE].mantissa < 0 {
            let owed = Dec::ZERO.minus(self.owned[QUOTE])?;
            let amount = charged(owed.by(quote.times(bars)?)?)?;
            self.charge(Code::Borrow, amount)?;
        }
        if worth.mantissa < 0 {
            let amount = charged(Dec::ZERO.minus(worth)?.by(base.times(bars)?)?)?;
            self.charge(Code::Borrow, amount)?;
        }
        Ok(())
    }

    /// Take a charge from the quote and tell it.
    pub(super) fn charge(&mut self, code: Code, amount: Dec) -> Result<()> {
        if amount.mantissa == 0 {
            return Ok(());
        }
        self.owned[QUOTE] = self.owned[QUOTE].minus(amount)?;
        self.moves += 1;
        self.reports.push(Report {
            step: self.step,
            what: What::Charged,
            id: 0,
            side: 0,
            kind: Kind::Market,
            code,
            ticks: 0,
            lots: 0,
            fee: amount,
            taker: false,
            reference: f64::NAN,
        });
        Ok(())
    }

    /// Whether an arriving order asks for more than the equity carries, the open orders of its side as if filled.
    pub(super) fn overdrawn(&self, at: usize, bar: &Bar) -> Result<bool> {
        let (Some(m), order) = (self.margin.as_deref(), self.live[at]) else {
            return Ok(false);
        };
        if order.ticket.reduce_only {
            return Ok(false);
        }
        let side = order.ticket.side;
        let against = self.owned[BASE].mantissa * i128::from(side) < 0;
        let mut left = if against { self.size() } else { Dec::ZERO };
        let (mut cost, mut opens) = (Dec::ZERO, false);
        for o in self.live.iter().filter(|o| self.counts(o, side, order.id)) {
            let leaves = self.rules.lot.times(o.leaves())?;
            let reducing = left.min(leaves)?;
            left = left.minus(reducing)?;
            if leaves.above(reducing)? {
                cost = cost.plus(leaves.minus(reducing)?.by(o.hold_price)?)?;
                opens = opens || o.id == order.id;
            }
        }
        if !opens {
            return Ok(false);
        }
        let price = Dec::from_f64(bar.open)?;
        let kept = if against { left } else { self.size() };
        let wanted = kept.by(price)?.plus(cost.by(m.opening)?)?;
        wanted.above(self.worth(price)?.by(m.terms.leverage)?)
    }

    /// Whether an open order of a side asks for margin; of a list, of which one will fill, the largest does.
    fn counts(&self, order: &Order, side: i64, new: u64) -> bool {
        let stands = |o: &Order| {
            o.ticket.side == side && !o.ticket.reduce_only && (o.stage == Stage::Working || o.id == new)
        };
        if !stands(order) || order.ticket.list == 0 {
            return stands(order);
        }
        let asks = |o: &Order| self.rules.lot.times(o.leaves()).and_then(|q| q.by(o.hold_price));
        let mut head: Option<&Order> = None;
        for o in self
            .live
            .iter()
            .filter(|o| stands(o) && o.ticket.list == order.ticket.list)
        {
            let larger = match head {
                None => true,
                Some(h) => matches!((asks(o), asks(h)), (Ok(a), Ok(b)) if a.above(b) == Ok(true)),
            };
            if larger {
                head = Some(o);
            }
        }
        head.is_some_and(|h| h.id == order.id)
    }

    /// The most lots that one execution may have: what reduces, and what its equity carries after the fee.
    pub(super) fn largest(&self, side: i64, price: Dec) -> Result<i64> {
        let Some(m) = self.margin.as_deref() else {
            return Ok(i64::MAX);
        };
        let size = self.size();
        let against = self.owned[BASE].mantissa * i128::from(side) < 0;
        let (reducing, kept) = if against {
            (size, Dec::ZERO)
        } else {
            (Dec::ZERO, size)
        };
        let paid = reducing.by(price)?.by(m.fee)?;
        let room = self
            .worth(price)?
            .minus(paid)?
            .by(m.terms.leverage)?
            .minus(kept.by(price)?)?;
        let unit = price.by(m.opening)?;
        let most = room
            .plus(reducing.by(unit)?)?
            .floor_steps(unit.by(self.rules.lot)?)?;
        Ok(most.max(reducing.floor_steps(self.rules.lot)?))
    }
}

/// A rate on twelve digits: it is stated, not measured.
fn rate_of(x: f64) -> Dec {
    Dec::new((x * 1e12).round_ties_even() as i128, 12)
}

/// A cost on eight digits, rounded against the account.
pub(super) fn charged(amount: Dec) -> Result<Dec> {
    Ok(Dec::new(i128::from(amount.ceil_steps(Dec::new(1, 8))?), 8))
}
