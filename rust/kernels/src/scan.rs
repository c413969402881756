//! First-order recursion `y = b*y + z` as a block scan of four bars, and its scalar form with the same bits.
//!
//! Groups of four bars count from the bar after the seed. With `Y` the value before the group:
//! `u_j = z_j + b*z_{j-1}`, `v_j = u_j + b2*u_{j-2}`, `y_j = v_j + pw_j*Y`, where terms from before the group
//! are left out, `b2 = b*b` and `pw = (b, b2, b2*b, b2*b2)`. The dependent chain is one multiply and one add
//! per four bars instead of per bar. A non-finite term makes every later value non-finite.

use crate::codec::{Reader, Writer};
use crate::error::Result;

/// Powers of the decay factor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Decay {
    pub b: f64,
    pub b2: f64,
    pub pw: [f64; 4],
}

impl Decay {
    pub fn new(b: f64) -> Self {
        let b2 = b * b;
        Self {
            b,
            b2,
            pw: [b, b2, b2 * b, b2 * b2],
        }
    }
}

/// One bar at a time, in the very operations of the block scan.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub d: Decay,
    /// Value before the present group of four.
    pub carry: f64,
    lane: usize,
    z1: f64,
    u1: f64,
    u2: f64,
}

impl Scan {
    pub fn new(b: f64) -> Self {
        Self {
            d: Decay::new(b),
            carry: 0.0,
            lane: 0,
            z1: -0.0,
            u1: -0.0,
            u2: -0.0,
        }
    }

    /// Start from a seed: the next bar is lane 0.
    #[inline]
    pub fn seed(&mut self, y: f64) {
        *self = Self {
            d: self.d,
            carry: y,
            lane: 0,
            z1: -0.0,
            u1: -0.0,
            u2: -0.0,
        };
    }

    /// Add the next term, return the value after it.
    #[inline]
    pub fn step(&mut self, z: f64) -> f64 {
        // z1, u1 and u2 are -0 where the group has no older term: adding b * -0 changes nothing
        let u = z + self.d.b * self.z1;
        let v = u + self.d.b2 * self.u2;
        let y = v + self.d.pw[self.lane & 3] * self.carry;
        if self.lane == 3 {
            self.seed(y);
        } else {
            self.lane += 1;
            self.z1 = z;
            self.u2 = self.u1;
            self.u1 = u;
        }
        y
    }

    pub fn write(&self, w: Writer) -> Writer {
        w.u64(self.lane as u64)
            .f64s(&[self.carry, self.z1, self.u1, self.u2])
    }

    pub fn read(&mut self, r: &mut Reader<'_>) -> Result<()> {
        self.lane = r.size()? & 3;
        (self.carry, self.z1, self.u1, self.u2) = (r.f64()?, r.f64()?, r.f64()?, r.f64()?);
        Ok(())
    }
}
