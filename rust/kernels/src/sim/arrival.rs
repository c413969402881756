//! What reaches the venue before a bar: cancels and orders, their checks and refusals.

use super::bar::Bar;
use super::dec::Dec;
use super::order::{Code, Kind, Report, Stage, What};
use super::venue::{currency, OrderSim};
use crate::error::Result;

impl OrderSim {
    /// Take back what was asked for and has arrived.
    pub(super) fn take_cancels(&mut self) -> Result<()> {
        if self.cancels.is_empty() {
            return Ok(());
        }
        let mut asked = std::mem::take(&mut self.cancels);
        let step = self.step;
        for &(due, id) in &asked {
            if due > step {
                continue;
            }
            if let Some(at) = self.live.iter().position(|o| o.id == id) {
                self.finish(at, What::Canceled, Code::Requested)?;
            } else if self.done.len() < id as usize || id == 0 || self.incoming.iter().any(|o| o.id == id) {
                self.unknown(id);
            }
        }
        asked.retain(|(due, _)| *due > step);
        asked.append(&mut self.cancels);
        self.cancels = asked;
        Ok(())
    }

    /// Take what was sent into the book, as far as it has arrived.
    pub(super) fn take_submits(&mut self, bar: &Bar) -> Result<()> {
        self.live.append(&mut self.incoming);
        let mut at = 0;
        while at < self.live.len() {
            let order = &self.live[at];
            if order.stage == Stage::InFlight && order.due <= self.step {
                let id = order.id;
                self.accept(at, bar)?;
                // refusals take orders away, this one or its waiting children
                if self.live.get(at).is_none_or(|o| o.id != id) {
                    continue;
                }
            }
            at += 1;
        }
        Ok(())
    }

    fn accept(&mut self, at: usize, bar: &Bar) -> Result<()> {
        let order = self.live[at];
        let ticket = order.ticket;
        let reference = if ticket.kind.limited() {
            self.rules.tick.times(ticket.limit)?
        } else if ticket.stop > 0 && ticket.kind != Kind::Market {
            self.rules.tick.times(ticket.stop)?
        } else {
            Dec::from_f64(bar.open)?
        };
        let notional = self.rules.lot.times(ticket.lots)?.by(reference)?;
        if self.rules.min_notional.above(notional)? {
            return self.refuse(at, Code::MinNotional);
        }
        if ticket.reduce_only && ticket.parent == 0 {
            let most = self.reducible(ticket.side)?;
            if most <= 0 {
                return self.refuse(at, Code::ReduceOnlyNoPosition);
            }
            self.live[at].ticket.lots = ticket.lots.min(most);
        }
        let parent_live = self.live.iter().any(|o| o.id == ticket.parent);
        let parent_filled = self.filled(ticket.parent);
        if ticket.parent != 0 && !parent_live && parent_filled == 0 {
            return self.refuse(at, Code::Parent);
        }
        self.live[at].hold_price = reference;
        if ticket.parent == 0 && self.margin.is_some() {
            if self.overdrawn(at, bar)? {
                return self.refuse(at, Code::InsufficientMargin);
            }
        } else if ticket.parent == 0 {
            let side = currency(ticket.side);
            let need = self.need(&self.live[at])?;
            let mut free = self.owned[side].minus(self.held[side])?;
            if ticket.list != 0 {
                for o in &self.live {
                    if o.ticket.list == ticket.list && o.ticket.side == ticket.side {
                        free = free.plus(o.hold)?;
                    }
                }
            }
            if need.above(free)? {
                return self.refuse(at, Code::InsufficientBalance);
            }
        }
        self.arrivals += 1;
        let order = &mut self.live[at];
        order.arrival = self.arrivals;
        order.stage = Stage::Working;
        if ticket.parent != 0 {
            if parent_filled == 0 {
                order.stage = Stage::Waiting;
            } else {
                order.ticket.lots = parent_filled;
            }
        }
        if order.stage == Stage::Working {
            self.rehold(at)?;
        }
        let order = self.live[at];
        self.say(What::Accepted, &order, Code::None);
        Ok(())
    }

    fn refuse(&mut self, at: usize, code: Code) -> Result<()> {
        self.finish(at, What::Rejected, code)
    }

    fn unknown(&mut self, id: u64) {
        self.reports.push(Report {
            step: self.step,
            what: What::Rejected,
            id,
            side: 0,
            kind: Kind::Market,
            code: Code::OrderUnknown,
            ticks: 0,
            lots: 0,
            fee: Dec::ZERO,
            taker: false,
            reference: f64::NAN,
        });
    }
}
