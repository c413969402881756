//! Bounds inside which a bar changes nothing in the book, so that most bars cost two comparisons.

use super::bar::Bar;
use super::order::{Kind, Order, Stage, BUY};
use super::ranks::level;

/// A bar strictly inside the bounds, up to a step, can be skipped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Calm {
    low: f64,
    high: f64,
    until: i64,
}

impl Calm {
    /// No bar can be skipped.
    pub(super) const NEVER: Self = Self {
        low: f64::INFINITY,
        high: f64::NEG_INFINITY,
        until: -1,
    };

    /// Whether the bar touches nothing.
    #[inline]
    pub(super) fn covers(&self, bar: &Bar, step: i64) -> bool {
        bar.low > self.low && bar.high < self.high && step <= self.until
    }

    /// Bounds of a book as the last bar left it.
    pub(super) fn of(live: &[Order]) -> Self {
        let mut all = Self {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            until: i64::MAX,
        };
        for o in live {
            if o.stage == Stage::InFlight {
                return Self::NEVER;
            }
            if o.ticket.expire >= 0 {
                all.until = all.until.min(o.ticket.expire - 1);
            }
            if o.stage == Stage::Waiting {
                continue;
            }
            if o.fresh || o.acts_market() {
                return Self::NEVER;
            }
            let buys = o.ticket.side == BUY;
            let (below, at) = if o.acts_limit() {
                (buys, o.through)
            } else if o.ticket.kind == Kind::TrailingStop {
                if o.mark.is_nan() {
                    return Self::NEVER;
                }
                // a new extreme moves the watermark
                all.bound(buys, o.mark);
                (!buys, level(o))
            } else {
                (buys != o.ticket.kind.stops(), o.trigger)
            };
            all.bound(below, at);
        }
        all
    }

    /// Something happens at or below (else above) a price.
    fn bound(&mut self, below: bool, at: f64) {
        if below && at > self.low {
            self.low = at;
        } else if !below && at < self.high {
            self.high = at;
        }
    }
}
