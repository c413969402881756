//! How a bar settles the orders of one pair: touches in the stated pessimistic order.

use super::bar::Bar;
use super::calm::Calm;
use super::dec::Dec;
use super::order::{Code, Force, Kind, Order, Report, Stage, What, BUY};
use super::ranks::{adverse, at_open, favourable, level, past, worse, Key};
use super::venue::{OrderSim, BASE, QUOTE};
use crate::error::Result;

/// How an order executes.
#[derive(Clone, Copy)]
struct Meeting {
    reference: f64,
    taker: bool,
    /// At the open, so that children born of it see the whole bar.
    at_open: bool,
}

/// Class of touches.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Open,
    Adverse,
    Favourable,
}

impl OrderSim {
    pub(super) fn match_bar(&mut self, bar: &Bar, last: bool) -> Result<()> {
        let tradable = !bar.filled_forward && (bar.volume > 0.0 || self.rules.share.is_none());
        if tradable {
            if self.at_risk() {
                self.liquidate_gap(bar)?;
            }
            self.budget = None;
            self.prepare(bar);
            if self.refuse_takers(bar)? || self.at_risk() {
                self.touches(bar)?;
            }
            self.after(bar);
        }
        let step = self.step;
        let over = |o: &Order| o.stage != Stage::InFlight && o.ticket.expire >= 0 && o.ticket.expire <= step;
        while let Some(at) = self.live.iter().position(|o| last && over(o)) {
            self.finish(at, What::Expired, Code::ExpireStep)?;
        }
        self.calm = Calm::of(&self.live);
        Ok(())
    }

    /// Give trailing stops their level of this bar.
    #[inline]
    fn prepare(&mut self, bar: &Bar) {
        for o in &mut self.live {
            if o.ticket.kind == Kind::TrailingStop && o.stage == Stage::Working && !o.triggered {
                if o.mark.is_nan() {
                    o.mark = bar.open;
                }
                o.trigger = level(o);
            }
        }
    }

    /// Post-only orders that would take; whether any order is left.
    #[inline]
    fn refuse_takers(&mut self, bar: &Bar) -> Result<bool> {
        let takes = |o: &Order| {
            o.ticket.post_only
                && o.fresh
                && o.stage == Stage::Working
                && o.ticket.kind == Kind::Limit
                && past(o.ticket.side, bar.open, o.limit)
        };
        while let Some(at) = self.live.iter().position(takes) {
            self.finish(at, What::Rejected, Code::PostOnlyWouldTake)?;
        }
        Ok(!self.live.is_empty())
    }

    fn touches(&mut self, bar: &Bar) -> Result<()> {
        let mut opened = false;
        loop {
            let mut found = self.pick(bar, Class::Open);
            if found.is_none() {
                if !opened {
                    opened = true;
                    self.end_of_open()?;
                }
                found = self.pick(bar, Class::Adverse);
                if self.at_risk() {
                    let stop = found.map(|(at, _)| self.live[at].trigger);
                    if self.liquidated_first(bar, stop)? {
                        return Ok(());
                    }
                }
                found = found.or_else(|| self.pick(bar, Class::Favourable));
            }
            let Some((at, class)) = found else {
                return Ok(());
            };
            self.act(at, bar, class)?;
        }
    }

    /// Orders whose only meeting was the open.
    fn end_of_open(&mut self) -> Result<()> {
        let over = |o: &Order| {
            o.stage == Stage::Working
                && o.fresh
                && o.ticket.kind == Kind::Limit
                && o.ticket.force != Force::Gtc
        };
        while let Some(at) = self.live.iter().position(over) {
            let code = only(self.live[at].ticket.force);
            self.finish(at, What::Expired, code)?;
        }
        Ok(())
    }

    /// The first in rank of those that can act in a class.
    #[inline]
    fn pick(&self, bar: &Bar, class: Class) -> Option<(usize, Class)> {
        let mut best: Option<(usize, Key)> = None;
        for (at, o) in self.live.iter().enumerate() {
            if o.stage != Stage::Working || o.met == self.moment {
                continue;
            }
            let key = match class {
                Class::Open => at_open(o, bar, self.moment),
                Class::Adverse => adverse(o, bar),
                Class::Favourable => favourable(o, bar, self.moment),
            };
            if let Some(key) = key {
                if best.is_none_or(|(_, b)| key < b) {
                    best = Some((at, key));
                }
            }
        }
        best.map(|(at, _)| (at, class))
    }

    fn act(&mut self, at: usize, bar: &Bar, class: Class) -> Result<()> {
        let moment = self.moment;
        let o = &mut self.live[at];
        o.met = moment;
        let side = o.ticket.side;
        let at_open = class == Class::Open;
        let triggering = !o.acts_market() && !o.acts_limit();
        let (mut reference, mut taker) = (bar.open, true);
        if triggering {
            o.triggered = true;
            if !at_open {
                reference = o.trigger;
                if o.born == moment {
                    // its trigger may lie on the wrong side of the price at which the parent was filled
                    reference = worse(side, reference, o.parent_price);
                }
            }
            if o.ticket.kind.limited() && !past(side, reference, o.limit) {
                o.fresh = false;
                if o.ticket.force != Force::Gtc {
                    let code = only(o.ticket.force);
                    return self.finish(at, What::Expired, code);
                }
                return Ok(());
            }
        } else if o.acts_limit() && at_open && o.fresh && o.ticket.post_only {
            // a child that became live at this open
            return self.finish(at, What::Rejected, Code::PostOnlyWouldTake);
        } else if o.acts_limit() && !(at_open && o.fresh) {
            taker = false;
            if !at_open {
                reference = o.limit;
            }
        }
        let id = o.id;
        let meeting = Meeting {
            reference,
            taker,
            at_open,
        };
        self.execute(at, bar, meeting)?;
        if let Some(at) = self.live.iter().position(|o| o.id == id) {
            let force = self.live[at].ticket.force;
            self.live[at].fresh = false;
            if force != Force::Gtc {
                self.finish(at, What::Expired, only(force))?;
            }
        }
        Ok(())
    }

    fn execute(&mut self, at: usize, bar: &Bar, meeting: Meeting) -> Result<()> {
        let order = self.live[at];
        let (side, leaves) = (order.ticket.side, order.leaves());
        let mut lots = leaves;
        if let Some(share) = self.rules.share {
            let left = match self.budget {
                Some(left) => left,
                None => Dec::steps_in(bar.volume * share, self.rules.lot, false)?,
            };
            self.budget = Some(left);
            lots = lots.min(left);
        }
        if order.ticket.reduce_only {
            lots = lots.min(self.reducible(side)?);
            if lots <= 0 && self.budget != Some(0) {
                return self.finish(at, What::Canceled, Code::ReduceOnlyNoPosition);
            }
        }
        if lots <= 0 || order.ticket.force == Force::Fok && lots < leaves {
            return Ok(());
        }
        let ticks = self.price(&order, lots, bar, meeting)?;
        self.cancel_siblings(&order)?;
        // canceling may have moved the order
        let Some(at) = self.live.iter().position(|o| o.id == order.id) else {
            return Ok(());
        };
        let price = self.rules.tick.times(ticks)?;
        let payable = self.payable(at, lots, price)?;
        let short = payable < lots;
        if short && order.ticket.force == Force::Fok {
            return Ok(());
        }
        lots = payable;
        if lots > 0 {
            self.settle(at, lots, ticks, price, meeting)?;
        }
        if short {
            if let Some(at) = self.live.iter().position(|o| o.id == order.id) {
                self.finish(at, What::Canceled, self.shortage())?;
            }
        }
        Ok(())
    }

    /// How many of some lots the account pays for at a price.
    fn payable(&self, at: usize, lots: i64, price: Dec) -> Result<i64> {
        let side = self.live[at].ticket.side;
        if self.margin.is_some() {
            return Ok(lots.min(self.largest(side, price)?));
        }
        let funds = self.funds(at)?;
        let unit = if side == BUY {
            price.by(self.with_fee)?.by(self.rules.lot)?
        } else {
            self.rules.lot
        };
        if unit.times(lots)?.above(funds)? {
            funds.floor_steps(unit)
        } else {
            Ok(lots)
        }
    }

    fn shortage(&self) -> Code {
        if self.margin.is_some() {
            Code::InsufficientMargin
        } else {
            Code::InsufficientBalance
        }
    }

    /// Fill price in ticks: slippage, then the next worse tick, a limit order never beyond its limit.
    fn price(&self, order: &Order, lots: i64, bar: &Bar, meeting: Meeting) -> Result<i64> {
        let side = order.ticket.side;
        let mut ticks = if meeting.taker {
            self.taken(side, self.rules.lot.times(lots)?, meeting.reference, bar)?
        } else {
            Dec::steps_in(meeting.reference, self.rules.tick, side == BUY)?
        };
        if order.ticket.kind.limited() {
            ticks = if side == BUY {
                ticks.min(order.ticket.limit)
            } else {
                ticks.max(order.ticket.limit)
            };
        }
        Ok(ticks.max(1))
    }

    /// Ticks that a taker gets: half the spread and the impact beyond the reference, at least one.
    pub(super) fn taken(&self, side: i64, quantity: Dec, reference: f64, bar: &Bar) -> Result<i64> {
        let cost = self.rules.half_spread + self.slip.cost(quantity.to_f64(), bar);
        let at = reference * (1.0 + side as f64 * cost);
        Ok(Dec::steps_in(at, self.rules.tick, side == BUY)?.max(1))
    }

    fn cancel_siblings(&mut self, order: &Order) -> Result<()> {
        if order.ticket.list == 0 {
            return Ok(());
        }
        let sibling = |o: &Order| o.ticket.list == order.ticket.list && o.id != order.id;
        while let Some(at) = self.live.iter().position(sibling) {
            self.finish(at, What::Canceled, Code::Oco)?;
        }
        Ok(())
    }

    fn settle(&mut self, at: usize, lots: i64, ticks: i64, price: Dec, meeting: Meeting) -> Result<()> {
        let order = &mut self.live[at];
        let (id, side, kind) = (order.id, order.ticket.side, order.ticket.kind);
        let quantity = self.rules.lot.times(lots)?;
        let notional = quantity.by(price)?;
        let rate = self.rules.fees[usize::from(meeting.taker)];
        let in_base = self.rules.fee_received && side == BUY;
        let fee = if in_base { quantity } else { notional }.by(rate)?.truncated(8)?;
        let sign = Dec::new(i128::from(side), 0);
        self.owned[BASE] = self.owned[BASE].plus(quantity.by(sign)?)?;
        self.owned[QUOTE] = self.owned[QUOTE].minus(notional.by(sign)?)?;
        let payer = if in_base { BASE } else { QUOTE };
        self.owned[payer] = self.owned[payer].minus(fee)?;
        self.moves += 1;
        order.filled += lots;
        self.done[(id - 1) as usize] += lots;
        if let Some(left) = &mut self.budget {
            *left -= lots;
        }
        self.reports.push(Report {
            step: self.step,
            what: What::Filled,
            id,
            side,
            kind,
            code: Code::None,
            ticks,
            lots,
            fee,
            taker: meeting.taker,
            reference: meeting.reference,
        });
        if self.live[at].leaves() == 0 {
            self.finish(at, What::Filled, Code::None)?;
        } else {
            self.rehold(at)?;
        }
        self.raise_children(id, meeting)
    }

    /// Children of an order follow its filled quantity.
    fn raise_children(&mut self, parent: u64, meeting: Meeting) -> Result<()> {
        let (filled, moment) = (self.done[(parent - 1) as usize], self.moment);
        for at in 0..self.live.len() {
            let o = &mut self.live[at];
            if o.ticket.parent != parent || o.stage == Stage::InFlight || o.filled > 0 {
                continue;
            }
            o.ticket.lots = filled;
            if o.stage == Stage::Waiting {
                o.stage = Stage::Working;
                o.mark = meeting.reference;
                if o.ticket.kind == Kind::TrailingStop {
                    o.trigger = level(o);
                }
                if !meeting.at_open {
                    (o.born, o.parent_price, o.fresh) = (moment, meeting.reference, false);
                }
            }
            self.rehold(at)?;
        }
        Ok(())
    }

    /// After the touches: nobody is fresh, watermarks take the bar's extreme.
    #[inline]
    fn after(&mut self, bar: &Bar) {
        let moment = self.moment;
        for o in &mut self.live {
            if o.stage != Stage::Working {
                continue;
            }
            o.fresh = false;
            if o.ticket.kind == Kind::TrailingStop && o.born != moment {
                let best = if o.ticket.side == BUY { bar.low } else { bar.high };
                let better = if o.ticket.side == BUY {
                    best < o.mark
                } else {
                    best > o.mark
                };
                if better {
                    o.mark = best;
                }
            }
        }
    }
}

/// Why an order that does not rest ended.
fn only(force: Force) -> Code {
    if force == Force::Fok {
        Code::Fok
    } else {
        Code::Ioc
    }
}
