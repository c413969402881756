//! Exhaustive grids of one rule over one market, sharing the work between combinations.
//!
//! What a combination earns is what [`crate::sim::signal_backtest`] finds for its signal: decided at a close,
//! filled at the next open, with fee and slippage. Shared are the indicators, one row per window and tile of bars,
//! and the marks of their crossings; a combination itself is a mask of bits per tile ([`bits`]), of which only the
//! changes are visited ([`book`]), because sums of returns and extremes of prices between two fills come from
//! tables of the tile ([`tile`]). Positions that are short, or do not hold all the money, have returns that differ
//! with the account, so those go through the account of [`crate::sim`] bar by bar ([`ledger`]).
//!
//! Memory is the rows, a few tables, and per combination a book while its panel is worked on and a [`Record`].
//! Results depend on neither the number of threads nor the instruction set.

mod bits;
mod bollinger;
mod book;
mod donchian;
mod grid;
mod ledger;
mod ma_cross;
mod momentum;
mod record;
mod rsi;
mod run;
mod tile;

pub use bollinger::BollingerGrid;
pub use donchian::DonchianGrid;
pub use ma_cross::MaCrossGrid;
pub use momentum::MomentumGrid;
pub use record::{Record, RECORD_WORDS};
pub use rsi::RsiGrid;
pub use run::{sweep, Family, Market};
