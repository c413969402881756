//! Which orders can act in a class of touches, and in which order they do.

use super::bar::Bar;
use super::order::{Force, Order, BUY};

/// Rank of an order among those that can act now: smaller first.
pub(super) type Key = (u8, f64, u64);

/// Place among those that the open of the bar meets; an order born in this moment came after it.
#[inline]
pub(super) fn at_open(o: &Order, bar: &Bar, moment: i64) -> Option<Key> {
    if o.born == moment {
        return None;
    }
    let side = o.ticket.side;
    if o.acts_market() {
        return Some((0, 0.0, o.arrival));
    }
    let key = side as f64 * (bar.open - o.limit);
    if o.acts_limit() {
        let meets = if o.fresh { true } else { through(o, bar) };
        return (key <= 0.0 && meets).then_some((1, key, o.arrival));
    }
    let reached = if o.ticket.kind.stops() {
        past(-side, bar.open, o.trigger)
    } else {
        past(side, bar.open, o.trigger)
    };
    if !reached {
        None
    } else if o.ticket.kind.limited() {
        Some((1, key, o.arrival))
    } else {
        Some((0, 0.0, o.arrival))
    }
}

/// Place among the stops that the bar touches.
#[inline]
pub(super) fn adverse(o: &Order, bar: &Bar) -> Option<Key> {
    if o.triggered || !o.ticket.kind.stops() {
        return None;
    }
    let touched = if o.ticket.side == BUY {
        bar.high >= o.trigger
    } else {
        bar.low <= o.trigger
    };
    touched.then(|| (0, (o.trigger - bar.open).abs(), o.arrival))
}

/// Place among the limits and take-profits that the bar touches; one born in this moment may have come too late.
#[inline]
pub(super) fn favourable(o: &Order, bar: &Bar, moment: i64) -> Option<Key> {
    if o.born == moment {
        return None;
    }
    let side = o.ticket.side as f64;
    if o.acts_limit() {
        let key = side * (bar.open - o.limit);
        return (key > 0.0 && through(o, bar)).then_some((0, key, o.arrival));
    }
    if o.triggered || !o.ticket.kind.takes_profit() {
        return None;
    }
    let touched = if o.ticket.side == BUY {
        bar.low <= o.trigger
    } else {
        bar.high >= o.trigger
    };
    touched.then_some((0, side * (bar.open - o.trigger), o.arrival))
}

/// Whether `price` is at `limit` or better for the side.
#[inline]
pub(super) fn past(side: i64, price: f64, limit: f64) -> bool {
    if side == BUY {
        price <= limit
    } else {
        price >= limit
    }
}

/// Whether the market went through a resting limit.
#[inline]
pub(super) fn through(o: &Order, bar: &Bar) -> bool {
    if o.fresh && o.ticket.force != Force::Gtc {
        return false;
    }
    if o.ticket.side == BUY {
        bar.low <= o.through
    } else {
        bar.high >= o.through
    }
}

/// The price that is worse for the side.
#[inline]
pub(super) fn worse(side: i64, a: f64, b: f64) -> f64 {
    if (side == BUY) == (a > b) {
        a
    } else {
        b
    }
}

/// Level of a trailing stop.
#[inline]
pub(super) fn level(o: &Order) -> f64 {
    let t = &o.ticket;
    let distance = if t.trail_frac { o.mark * t.trail } else { t.trail };
    let level = o.mark + t.side as f64 * distance;
    if t.stop <= 0 {
        return level;
    }
    if t.side == BUY {
        level.min(o.worst)
    } else {
        level.max(o.worst)
    }
}
