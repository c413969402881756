//! The exact simulator of one pair on a spot or leveraged account: the same fills as the event-driven venue.
//!
//! Prices in ticks, quantities in lots, money as exact decimals. Order of a bar: cancels, submissions, matching
//! (class a at the open, b adverse touches, c favourable touches; inside a class price-time priority), expiry.
//! Commands given before a bar meet it; nothing meets the bar on which it was decided.

use super::bar::{Bar, Rules};
use super::calm::Calm;
use super::dec::Dec;
use super::margin::Margin;
use super::order::{Code, Kind, Order, Report, Stage, Ticket, What, BUY};
use super::slip::Slip;
use crate::error::{KernelError, Result};

/// The simulator.
#[derive(Debug, Clone)]
pub struct OrderSim {
    pub(super) rules: Rules,
    /// One plus the largest fee taken in quote.
    pub(super) with_fee: Dec,
    /// Changes of the balances so far.
    pub(super) moves: u64,
    pub(super) slip: Slip,
    /// Base and quote owned.
    pub(super) owned: [Dec; 2],
    /// Base and quote held by orders.
    pub(super) held: [Dec; 2],
    pub(super) live: Vec<Order>,
    pub(super) incoming: Vec<Order>,
    pub(super) cancels: Vec<(i64, u64)>,
    /// Lots filled of every order, by id - 1.
    pub(super) done: Vec<i64>,
    pub(super) arrivals: u64,
    pub(super) step: i64,
    /// Tells apart the parts of a step, and the steps.
    pub(super) moment: i64,
    /// Lots of this bar's volume that are left, once somebody asked.
    pub(super) budget: Option<i64>,
    /// Bars whose low and high lie strictly between, up to a step, touch nothing in the book.
    pub(super) calm: Calm,
    /// What makes the account a leveraged one.
    pub(super) margin: Option<Box<Margin>>,
    /// What happened since the caller last looked.
    pub reports: Vec<Report>,
}

/// Index of base and quote.
pub(super) const BASE: usize = 0;
pub(super) const QUOTE: usize = 1;

impl OrderSim {
    /// A simulator with balances of base and quote.
    ///
    /// # Errors
    /// [`KernelError::Param`] for fees that are too large.
    pub fn new(rules: Rules, slip: Slip, balances: [Dec; 2]) -> Result<Self> {
        let [maker, taker] = rules.fees;
        let with_fee = if rules.fee_received {
            Dec::ONE
        } else {
            Dec::ONE.plus(if maker.above(taker)? { maker } else { taker })?
        };
        if rules.tick.mantissa <= 0 || rules.lot.mantissa <= 0 {
            return Err(KernelError::Param("tick and lot must be above 0"));
        }
        Ok(Self {
            rules,
            with_fee,
            moves: 0,
            slip,
            owned: balances,
            held: [Dec::ZERO; 2],
            live: Vec::new(),
            incoming: Vec::new(),
            cancels: Vec::new(),
            done: Vec::new(),
            arrivals: 0,
            step: -1,
            moment: -1,
            budget: None,
            calm: Calm::NEVER,
            margin: None,
            reports: Vec::new(),
        })
    }

    /// Base and quote owned.
    pub fn balances(&self) -> [Dec; 2] {
        self.owned
    }

    /// Changes of the balances so far: executions and charges.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// Whole lots of base owned, below 0: sold short.
    ///
    /// # Errors
    /// When they are too many.
    pub fn position(&self) -> Result<i64> {
        self.whole_lots()
    }

    /// Whole lots held, signed; what is less than one is not counted.
    pub(super) fn whole_lots(&self) -> Result<i64> {
        let held = self.owned[BASE];
        let lots = Dec::new(held.mantissa.abs(), held.scale).floor_steps(self.rules.lot)?;
        Ok(if held.mantissa < 0 { -lots } else { lots })
    }

    /// Rules in force.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Orders on their way or in the book.
    pub fn open_orders(&self) -> usize {
        self.live.len() + self.incoming.len()
    }

    /// Whether the order is on its way or in the book.
    pub fn is_live(&self, id: u64) -> bool {
        self.live.iter().chain(&self.incoming).any(|o| o.id == id)
    }

    /// Lots filled of an order.
    pub fn filled(&self, id: u64) -> i64 {
        self.done.get((id as usize).wrapping_sub(1)).copied().unwrap_or(0)
    }

    /// The last step taken, -1 before the first.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Value of the account at a price, as a float.
    pub fn equity(&self, price: f64) -> f64 {
        self.owned[QUOTE].to_f64() + self.owned[BASE].to_f64() * price
    }

    /// Send an order; it meets the next bar (or a later one, with latency).
    ///
    /// # Errors
    /// [`KernelError::Param`] for a ticket that no venue could read.
    pub fn submit(&mut self, ticket: Ticket) -> Result<u64> {
        let t = &ticket;
        if t.lots <= 0 || t.side.abs() != 1 {
            return Err(KernelError::Param("an order needs a side and a quantity above 0"));
        }
        if t.kind.limited() && t.limit <= 0 {
            return Err(KernelError::Param("a limit must be above 0"));
        }
        if t.kind == Kind::TrailingStop {
            if !(t.trail > 0.0 && t.trail < f64::INFINITY) || t.trail_frac && t.trail >= 1.0 {
                return Err(KernelError::Param(
                    "a trailing distance must be above 0, a fraction below 1",
                ));
            }
        } else if (t.kind.stops() || t.kind.takes_profit()) && t.stop <= 0 {
            return Err(KernelError::Param("a trigger must be above 0"));
        }
        self.done.push(0);
        let id = self.done.len() as u64;
        let tick = |n: i64| self.rules.tick.times(n).map(Dec::to_f64);
        let order = Order {
            id,
            ticket,
            due: self.step + 1 + self.rules.latency,
            stage: Stage::InFlight,
            arrival: 0,
            filled: 0,
            hold: Dec::ZERO,
            hold_price: Dec::ZERO,
            limit: tick(ticket.limit)?,
            through: tick(ticket.limit - ticket.side * self.rules.through)?,
            trigger: tick(ticket.stop)?,
            worst: tick(ticket.stop)?,
            mark: f64::NAN,
            fresh: true,
            triggered: false,
            met: -1,
            born: -1,
            parent_price: f64::NAN,
        };
        self.incoming.push(order);
        Ok(id)
    }

    /// Ask to take an order back.
    pub fn cancel(&mut self, id: u64) {
        self.cancels.push((self.step + 1 + self.rules.latency, id));
    }

    /// Take the next bar.
    ///
    /// # Errors
    /// [`KernelError`] for a bar that contradicts itself, or an amount too large.
    #[inline(always)]
    pub fn advance(&mut self, bar: &Bar) -> Result<()> {
        bar.check((self.step + 1) as usize)?;
        self.step += 1;
        if self.margin.is_some() {
            self.moment = Self::moment_of(self.step, 0);
            self.carry_over(false)?;
            self.pass(bar, 0, true)?;
            self.carry_close(bar)?;
        } else {
            self.pass(bar, 0, true)?;
        }
        self.slip.observe(bar);
        Ok(())
    }

    /// Take one part of a step; orders expire with the last.
    #[inline(always)]
    pub(super) fn pass(&mut self, bar: &Bar, part: i64, last: bool) -> Result<()> {
        if self.incoming.is_empty() && self.cancels.is_empty() {
            let calm = self.live.is_empty() || self.calm.covers(bar, self.step);
            if calm && !(self.margin.is_some() && self.in_danger(bar)?) {
                return Ok(());
            }
        }
        self.moment = Self::moment_of(self.step, part);
        self.take_cancels()?;
        self.take_submits(bar)?;
        if !self.live.is_empty() || self.at_risk() {
            self.match_bar(bar, last)?;
        }
        Ok(())
    }

    /// Lots that a reduce-only order of a side may trade.
    pub(super) fn reducible(&self, side: i64) -> Result<i64> {
        Ok((-side * self.whole_lots()?).max(0))
    }

    /// What an order must hold.
    pub(super) fn need(&self, order: &Order) -> Result<Dec> {
        if order.ticket.reduce_only {
            // it is cut to the position when it fills, so an exit at the market may stand beside a stop
            return Ok(Dec::ZERO);
        }
        let quantity = self.rules.lot.times(order.leaves())?;
        if order.ticket.side != BUY {
            return Ok(quantity);
        }
        quantity.by(order.hold_price)?.by(self.with_fee)
    }

    /// Balance that nobody else holds.
    pub(super) fn funds(&self, at: usize) -> Result<Dec> {
        let side = currency(self.live[at].ticket.side);
        self.owned[side].minus(self.held[side])?.plus(self.live[at].hold)
    }

    /// Hold what the order still needs, never what others hold.
    pub(super) fn rehold(&mut self, at: usize) -> Result<()> {
        if self.margin.is_some() {
            // nothing is set aside: equity carries all orders, and each is measured again when it fills
            return Ok(());
        }
        let hold = self.need(&self.live[at])?.min(self.funds(at)?)?;
        self.hold(at, hold)
    }

    fn hold(&mut self, at: usize, hold: Dec) -> Result<()> {
        let order = &mut self.live[at];
        let side = currency(order.ticket.side);
        let change = hold.minus(order.hold)?;
        order.hold = hold;
        self.held[side] = self.held[side].plus(change)?;
        Ok(())
    }

    /// Take an order off the book.
    pub(super) fn finish(&mut self, at: usize, what: What, code: Code) -> Result<()> {
        self.hold(at, Dec::ZERO)?;
        let order = self.live.remove(at);
        if what != What::Filled {
            self.say(what, &order, code);
        }
        if order.filled == 0 {
            while let Some(child) = self
                .live
                .iter()
                .position(|o| o.stage == Stage::Waiting && o.ticket.parent == order.id)
            {
                self.finish(child, What::Canceled, Code::Parent)?;
            }
        }
        Ok(())
    }

    pub(super) fn say(&mut self, what: What, order: &Order, code: Code) {
        self.reports.push(Report {
            step: self.step,
            what,
            id: order.id,
            side: order.ticket.side,
            kind: order.ticket.kind,
            code,
            ticks: 0,
            lots: 0,
            fee: Dec::ZERO,
            taker: false,
            reference: f64::NAN,
        });
    }
}

/// What a side spends.
pub(super) fn currency(side: i64) -> usize {
    if side == BUY {
        QUOTE
    } else {
        BASE
    }
}
