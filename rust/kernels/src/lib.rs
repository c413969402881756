//! Numeric kernels of Tradewind: slices in, slices out, no Python, no panic.
//!
//! Every kernel has a batch form (`fn name(input, params, out)`) and a streaming form (`struct Name`
//! with `update`). The two are **equal to the bit**: one documented order of operations, restarts
//! aligned to the absolute bar index, no fused multiply-add, the same lanes on every dispatch path.

mod blocks;
mod codec;
mod error;
mod sma;

pub use blocks::block_len;
pub use codec::{Reader, Writer};
pub use error::{KernelError, Result};
pub use sma::{sma, Sma};
