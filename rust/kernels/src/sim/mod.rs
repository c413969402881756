//! Backtests in one pass.
//!
//! Two paths, kept apart on purpose. [`signal_backtest`] and [`ma_cross_backtest`] compute in `f64`: they are
//! for statistics and search, where a relative error of 1e-12 does not matter and a million bars must take
//! milliseconds. [`OrderSim`] computes in whole ticks, lots and exact decimals: it is for money, and its fills
//! are those of the event-driven venue to the last unit.

mod account;
mod arrival;
mod bar;
mod calm;
mod cross;
mod dec;
mod liquidation;
mod margin;
mod matching;
mod order;
mod parts;
mod ranks;
mod signal;
mod simulate;
mod slip;
mod trade;
mod venue;

pub(crate) use account::{check_prices, Account, Signs};
pub use bar::{Bar, Rules};
pub use cross::{ma_cross_backtest, Cross};
pub use dec::Dec;
pub use margin::{Carry, Terms};
pub use order::{Code, Force, Kind, Report, Ticket, What, BUY, REPORT_WORDS};
pub use parts::Parts;
pub use signal::signal_backtest;
pub use simulate::{report_words, simulate, Columns, Protection};
pub use slip::Slip;
pub use trade::{Costs, Summary, Trade, TRADE_WORDS};
pub use venue::OrderSim;
