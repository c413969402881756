//! Numeric kernels of Tradewind: slices in, slices out, no Python, no panic.
//!
//! Every kernel has a batch form (`fn name(input, params, out)`) and a streaming form (`struct Name`
//! with `update`). The two are **equal to the bit**: one documented order of operations, restarts
//! aligned to the absolute bar index, no fused multiply-add, the same lanes on every dispatch path.

mod blocks;
mod cmf;
mod codec;
mod donchian;
mod error;
mod forest;
mod heikin_ashi;
mod hmm;
mod obv;
mod sma;
mod two_stack;

pub use blocks::block_len;
pub use cmf::{cmf, Cmf};
pub use codec::{Reader, Writer};
pub use donchian::{donchian, Donchian};
pub use error::{KernelError, Result};
pub use forest::{Flat, Forest};
pub use heikin_ashi::{heikin_ashi, Columns, HeikinAshi};
pub use hmm::{hmm_forward_filter, Chain, DiagGaussian, HmmFilter};
pub use obv::{obv, Obv};
pub use sma::{sma, Sma};
