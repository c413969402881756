//! Numeric kernels of Tradewind: slices in, slices out, no Python, no panic.
//!
//! Every kernel has a batch form (`fn name(input, params, out)`) and a streaming form (`struct Name`
//! with `update`). The two are **equal to the bit**: one documented order of operations, restarts
//! aligned to the absolute bar index, no fused multiply-add, the same lanes on every dispatch path.

mod adx;
mod atr;
mod blocks;
mod bocpd;
mod bollinger;
mod cmf;
mod codec;
mod donchian;
mod ema;
mod error;
mod extremes;
mod forest;
mod fused;
mod garch;
mod heikin_ashi;
mod hmm;
pub mod hmm_em;
mod hmm_offline;
mod hmm_student;
pub mod jump;
mod keltner;
mod macd;
mod moments;
mod obv;
mod rsi;
mod scan;
mod set;
pub mod sim;
mod simd;
mod sma;
pub mod special;
mod squeeze;
pub mod statistics;
pub mod statistics_bootstrap;
mod std_dev;
mod stoch_rsi;
pub mod sweep;
pub mod text;
mod two_stack;

pub use adx::{adx, Adx, AdxValue};
pub use atr::{atr, Atr, Bars};
pub use blocks::block_len;
pub use bocpd::{Bocpd, BocpdParams, BocpdValue};
pub use bollinger::{bollinger, Bands, BandsValue, Bollinger};
pub use cmf::{cmf, Cmf};
pub use codec::{Reader, Writer};
pub use donchian::{donchian, Donchian};
pub use ema::{ema, Ema};
pub use error::{KernelError, Result};
pub use forest::{Flat, Forest};
pub use fused::{fused, FusedOut, FusedParams};
pub use garch::{garch_filter, GarchParams};
pub use heikin_ashi::{heikin_ashi, Columns, HeikinAshi};
pub use hmm::{hmm_forward_filter, Chain, DiagGaussian, Emission, Filter, HmmFilter};
pub use hmm_offline::{hmm_smooth, hmm_viterbi};
pub use hmm_student::{DiagStudent, HmmStudentFilter};
pub use keltner::{keltner, Keltner};
pub use macd::{macd, Macd, MacdOut, MacdValue};
pub use moments::Moments;
pub use obv::{obv, Obv};
pub use rsi::{rsi, Rsi};
pub use set::{Bar, IndicatorSet, SetParams, COLUMNS};
pub use simd::{force_path, path, Path};
pub use sma::{sma, Sma};
pub use squeeze::{squeeze, Squeeze};
pub use std_dev::{std, Std};
pub use stoch_rsi::{stoch_rsi, StochRsi, StochRsiParams};
pub use text::{Hit, TextScorer, TextScratch, TEXT_COLUMNS};
