//! An order as the exact simulator keeps it, and what it is told about one.

use super::dec::Dec;
use crate::error::Result;

/// Buy.
pub const BUY: i64 = 1;

/// Order types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// At once, at the open.
    Market = 0,
    /// At a price or better.
    Limit = 1,
    /// A market order once the market moves against us to the trigger.
    Stop = 2,
    /// A limit order once it does.
    StopLimit = 3,
    /// A market order once the market moves for us to the trigger.
    TakeProfit = 4,
    /// A limit order once it does.
    TakeProfitLimit = 5,
    /// A stop that follows the market.
    TrailingStop = 6,
}

impl Kind {
    /// From its number.
    pub fn of(n: u8) -> Option<Self> {
        use Kind::*;
        [
            Market,
            Limit,
            Stop,
            StopLimit,
            TakeProfit,
            TakeProfitLimit,
            TrailingStop,
        ]
        .get(usize::from(n))
        .copied()
    }

    /// Whether it waits for a trigger on the losing side.
    pub fn stops(self) -> bool {
        matches!(self, Self::Stop | Self::StopLimit | Self::TrailingStop)
    }

    /// Whether it waits for a trigger on the winning side.
    pub fn takes_profit(self) -> bool {
        matches!(self, Self::TakeProfit | Self::TakeProfitLimit)
    }

    /// Whether it has a limit price.
    pub fn limited(self) -> bool {
        matches!(self, Self::Limit | Self::StopLimit | Self::TakeProfitLimit)
    }
}

/// How long an order works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Force {
    /// Until canceled (or its expiry step).
    Gtc = 0,
    /// What it can at its first meeting.
    Ioc = 1,
    /// All of it at its first meeting, or nothing.
    Fok = 2,
}

/// Why a report says no, or how an order ended. The order is that of `CODES` in `kernels/sim.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Nothing to say.
    None = 0,
    /// Order value below the venue's least.
    MinNotional = 1,
    /// Not enough free balance.
    InsufficientBalance = 2,
    /// A cancel of an order that never arrived.
    OrderUnknown = 3,
    /// Canceled by request.
    Requested = 4,
    /// Not filled at its only meeting.
    Ioc = 5,
    /// Not filled whole at its only meeting.
    Fok = 6,
    /// Its last step is over.
    ExpireStep = 7,
    /// A sibling was filled.
    Oco = 8,
    /// The parent ended without a fill.
    Parent = 9,
    /// A post-only order that would take.
    PostOnlyWouldTake = 10,
    /// Nothing to reduce.
    ReduceOnlyNoPosition = 11,
    /// More than the equity carries.
    InsufficientMargin = 12,
    /// Ended by a liquidation.
    Liquidated = 13,
    /// A charge: funding.
    Funding = 14,
    /// A charge: interest.
    Borrow = 15,
    /// A fill or a charge of a liquidation.
    Liquidation = 16,
}

/// A new order.
#[derive(Debug, Clone, Copy)]
pub struct Ticket {
    /// +1 buy, -1 sell.
    pub side: i64,
    /// Type.
    pub kind: Kind,
    /// Quantity in lots, above 0.
    pub lots: i64,
    /// Limit in ticks, for limited types.
    pub limit: i64,
    /// Trigger in ticks, for stop and take-profit types.
    pub stop: i64,
    /// Trailing distance: quote, or a fraction of the watermark.
    pub trail: f64,
    /// Whether `trail` is a fraction.
    pub trail_frac: bool,
    /// Time in force.
    pub force: Force,
    /// Last step, or a negative number.
    pub expire: i64,
    /// Refuse to take.
    pub post_only: bool,
    /// Refuse to open.
    pub reduce_only: bool,
    /// Orders of one list cancel each other; 0: none.
    pub list: u64,
    /// Id of the parent; 0: none.
    pub parent: u64,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// On its way.
    InFlight,
    /// A child whose parent has no fill.
    Waiting,
    /// In the book.
    Working,
}

/// One order.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    /// Its number, from 1.
    pub id: u64,
    /// As submitted; `lots` is the quantity in force.
    pub ticket: Ticket,
    /// Step at which it arrives.
    pub due: i64,
    /// Where it stands.
    pub stage: Stage,
    /// Order of arrival.
    pub arrival: u64,
    /// Lots filled.
    pub filled: i64,
    /// Money or base held for it.
    pub hold: Dec,
    /// Price it is held at.
    pub hold_price: Dec,
    /// Limit as a float.
    pub limit: f64,
    /// How far the market must go through the limit.
    pub through: f64,
    /// Trigger as a float (trailing: the level of this bar).
    pub trigger: f64,
    /// Worst level of a trailing stop; 0: none.
    pub worst: f64,
    /// Best price a trailing stop has seen; NaN before its first bar.
    pub mark: f64,
    /// Not yet met a bar.
    pub fresh: bool,
    /// The trigger was reached.
    pub triggered: bool,
    /// Moment in which it acted last.
    pub met: i64,
    /// Moment in which it was born inside a bar, and the parent's price there.
    pub born: i64,
    /// Reference price of the parent's fill.
    pub parent_price: f64,
}

impl Order {
    /// Lots not executed.
    pub fn leaves(&self) -> i64 {
        self.ticket.lots - self.filled
    }

    /// Whether it acts as a market order now.
    pub fn acts_market(&self) -> bool {
        self.ticket.kind == Kind::Market || self.triggered && !self.ticket.kind.limited()
    }

    /// Whether it acts as a limit order now.
    pub fn acts_limit(&self) -> bool {
        self.ticket.kind == Kind::Limit || self.triggered && self.ticket.kind.limited()
    }
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum What {
    /// In the book.
    Accepted = 0,
    /// A fill.
    Filled = 1,
    /// Ended by request, by a sibling, by lack of money.
    Canceled = 2,
    /// Ended by its time in force.
    Expired = 3,
    /// Refused.
    Rejected = 4,
    /// Of no order: the venue took (or gave) money.
    Charged = 5,
}

/// One report.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// When.
    pub step: i64,
    /// What happened.
    pub what: What,
    /// To which order; 0: the venue's own doing.
    pub id: u64,
    /// Its side.
    pub side: i64,
    /// Its type.
    pub kind: Kind,
    /// Why.
    pub code: Code,
    /// Fill price in ticks.
    pub ticks: i64,
    /// Filled lots.
    pub lots: i64,
    /// Fee, quote (base when it is taken from what a buy receives); the amount of a charge.
    pub fee: Dec,
    /// The fill took liquidity.
    pub taker: bool,
    /// Price before slippage.
    pub reference: f64,
}

/// 64-bit words of one report.
pub const REPORT_WORDS: usize = 11;

impl Report {
    /// The fields as 64-bit words, in order; the fee in units of 1e-8.
    ///
    /// # Errors
    /// When the fee does not fit.
    pub fn words(&self) -> Result<[u64; REPORT_WORDS]> {
        Ok([
            self.step as u64,
            self.id,
            self.what as u64,
            self.code as u64,
            self.side as u64,
            self.kind as u64,
            self.ticks as u64,
            self.lots as u64,
            self.fee.floor_steps(Dec::new(1, 8))? as u64,
            u64::from(self.taker),
            self.reference.to_bits(),
        ])
    }
}
