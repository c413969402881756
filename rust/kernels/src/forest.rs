//! Mean prediction of a fitted tree ensemble, several trees in flight.
//!
//! Nodes are laid out again breadth first with siblings side by side, 12 bytes each, so that a step is
//! `child + (x > threshold)`. Features are rounded to `f32` before the comparison, as scikit-learn does;
//! `x <= t` for an `f32` x and an `f64` t equals `x <= floor32(t)`, so `f32` thresholds lose nothing.
//! Leaf values are summed in tree order and divided by the number of trees. A row with a feature that is
//! not finite as `f32` gives NaN in every output.

use crate::error::{same_len, KernelError, Result};

/// Trees walked at the same time: hides the latency of the chain node - feature - next node.
const LANES: usize = 8;
/// Rows that share one pass over the trees: their nodes stay in the second-level cache.
const ROWS: usize = 64;

const STRAY_CHILD: &str = "a child lies outside its tree or not after its parent";
const NO_SPLIT: &str = "a split has no such feature or no finite threshold";

/// The flat arrays of an ensemble; a leaf has `left == right == -1`, children follow their parent.
#[derive(Clone, Copy, Debug)]
pub struct Flat<'a> {
    /// Feature of each node; not read at leaves.
    pub feature: &'a [i32],
    /// Threshold of each node; not read at leaves.
    pub threshold: &'a [f64],
    /// Node to go to when `x <= threshold`, in the same numbering as the arrays; -1 at leaves.
    pub left: &'a [i32],
    /// Node to go to otherwise.
    pub right: &'a [i32],
    /// Output of each node, `outputs` numbers a node; read at leaves.
    pub value: &'a [f64],
    /// First node of each tree, then the number of nodes.
    pub offsets: &'a [i64],
    /// Columns of a row.
    pub features: usize,
    /// Numbers per prediction.
    pub outputs: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    threshold: f32,
    feature: u32,
    child: u32,
}

/// A checked ensemble: no index in it can leave its arrays.
#[derive(Clone, Debug)]
pub struct Forest {
    nodes: Vec<Node>,
    values: Vec<f64>,
    roots: Vec<u32>,
    depths: Vec<u32>,
    features: usize,
    outputs: usize,
}

/// Largest `f32` not above `t`.
fn floor32(t: f64) -> f32 {
    let near = t as f32;
    if f64::from(near) > t {
        near.next_down()
    } else {
        near
    }
}

impl Forest {
    /// Check the arrays and lay them out.
    ///
    /// # Errors
    /// [`KernelError::Length`] for arrays that do not fit together, [`KernelError::Row`] (with the node)
    /// for a child outside its tree or not after its parent, a node with two parents or none, a feature
    /// outside the row, or a number that is not finite; [`KernelError::Param`] for an empty ensemble.
    pub fn new(flat: Flat<'_>) -> Result<Self> {
        let n = flat.feature.len();
        if flat.offsets.len() < 2 || flat.features == 0 || flat.outputs == 0 {
            return Err(KernelError::Param(
                "an ensemble needs a tree, a feature and an output",
            ));
        }
        if n >= i32::MAX as usize {
            return Err(KernelError::Param("an ensemble has at most 2^31 - 1 nodes"));
        }
        for found in [flat.threshold.len(), flat.left.len(), flat.right.len()] {
            same_len(n, found)?;
        }
        same_len(n * flat.outputs, flat.value.len())?;
        let mut me = Self {
            nodes: Vec::with_capacity(n),
            values: Vec::with_capacity(n * flat.outputs),
            roots: Vec::with_capacity(flat.offsets.len() - 1),
            depths: Vec::with_capacity(flat.offsets.len() - 1),
            features: flat.features,
            outputs: flat.outputs,
        };
        let mut end = 0;
        for pair in flat.offsets.windows(2) {
            let bounds = (usize::try_from(pair[0]), usize::try_from(pair[1]));
            let (Ok(a), Ok(b)) = bounds else {
                return Err(KernelError::Param("offsets must not be negative"));
            };
            if a != end || b <= a || b > n {
                return Err(KernelError::Param(
                    "offsets must rise from 0 to the number of nodes",
                ));
            }
            me.tree(&flat, a, b)?;
            end = b;
        }
        same_len(n, end)?;
        Ok(me)
    }

    /// Append the tree in nodes `a..b`, breadth first.
    fn tree(&mut self, flat: &Flat<'_>, a: usize, b: usize) -> Result<()> {
        let root = self.nodes.len();
        self.roots.push(root as u32);
        let mut order = vec![a];
        let mut led_to = vec![false; b - a];
        let (mut depth, mut level_end, mut at) = (0, 1, 0);
        while at < order.len() {
            if at == level_end {
                depth += 1;
                level_end = order.len();
            }
            let i = order[at];
            let child = (root + order.len()) as u32;
            let (l, r) = (flat.left[i], flat.right[i]);
            let value = &flat.value[i * self.outputs..(i + 1) * self.outputs];
            let node = if l == -1 && r == -1 {
                if !value.iter().all(|v| v.is_finite()) {
                    return Err(KernelError::Row {
                        row: i,
                        what: "a leaf value is not finite",
                    });
                }
                Node {
                    threshold: f32::INFINITY,
                    feature: 0,
                    child: (root + at) as u32,
                }
            } else {
                let inside = |c: i32| usize::try_from(c).is_ok_and(|c| c > i && c < b);
                if !inside(l) || !inside(r) || l == r {
                    return Err(KernelError::Row {
                        row: i,
                        what: STRAY_CHILD,
                    });
                }
                let feature = u32::try_from(flat.feature[i]).unwrap_or(u32::MAX);
                if feature as usize >= self.features || !flat.threshold[i].is_finite() {
                    return Err(KernelError::Row {
                        row: i,
                        what: NO_SPLIT,
                    });
                }
                for c in [l as usize, r as usize] {
                    if std::mem::replace(&mut led_to[c - a], true) {
                        return Err(KernelError::Row {
                            row: c,
                            what: "a node has two parents",
                        });
                    }
                    order.push(c);
                }
                Node {
                    threshold: floor32(flat.threshold[i]),
                    feature,
                    child,
                }
            };
            self.nodes.push(node);
            self.values.extend_from_slice(value);
            at += 1;
        }
        if order.len() != b - a {
            return Err(KernelError::Row {
                row: a,
                what: "the tree that starts here has nodes nobody leads to",
            });
        }
        self.depths.push(depth);
        Ok(())
    }

    /// Number of trees, features and outputs.
    pub fn shape(&self) -> (usize, usize, usize) {
        (self.roots.len(), self.features, self.outputs)
    }

    /// Mean over the trees for `rows` (R x features, row-major) into `out` (R x outputs).
    ///
    /// # Errors
    /// [`KernelError::Length`] when the shapes do not fit.
    pub fn predict(&self, rows: &[f64], out: &mut [f64]) -> Result<()> {
        let count = out.len() / self.outputs;
        same_len(count * self.outputs, out.len())?;
        same_len(count * self.features, rows.len())?;
        let mut narrow = vec![0.0_f32; self.features * count.min(ROWS)];
        for (block, o) in rows
            .chunks(self.features * ROWS)
            .zip(out.chunks_mut(self.outputs * ROWS))
        {
            for (slot, &x) in narrow.iter_mut().zip(block) {
                *slot = x as f32;
            }
            self.block(&narrow[..block.len()], o);
        }
        Ok(())
    }

    fn block(&self, rows: &[f32], out: &mut [f64]) {
        out.fill(0.0);
        for (roots, depths) in self.roots.chunks(LANES).zip(self.depths.chunks(LANES)) {
            let depth = depths.iter().copied().max().unwrap_or(0);
            let mut lanes = [roots[0]; LANES];
            lanes[..roots.len()].copy_from_slice(roots);
            for (x, o) in rows.chunks(self.features).zip(out.chunks_mut(self.outputs)) {
                let leaves = self.walk(lanes, depth, x);
                for &leaf in &leaves[..roots.len()] {
                    let at = leaf as usize * self.outputs;
                    for (s, v) in o.iter_mut().zip(&self.values[at..]) {
                        *s += v;
                    }
                }
            }
        }
        let trees = self.roots.len() as f64;
        for (x, o) in rows.chunks(self.features).zip(out.chunks_mut(self.outputs)) {
            let known = x.iter().all(|v| v.is_finite());
            for s in o {
                *s = if known { *s / trees } else { f64::NAN };
            }
        }
    }

    /// The leaves that `x` reaches. A leaf leads to itself (nothing is above infinity), so lanes may
    /// finish early; a NaN goes left everywhere and its row is masked later.
    #[inline(always)]
    fn walk(&self, mut at: [u32; LANES], depth: u32, x: &[f32]) -> [u32; LANES] {
        let nodes = self.nodes.as_slice();
        for _ in 0..depth {
            for i in &mut at {
                let node = nodes[*i as usize];
                *i = node.child + u32::from(x[node.feature as usize] > node.threshold);
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // tree 0: x1 <= 0.5 ? 1 : (x0 <= -1 ? 2 : 4); tree 1: always 8
    const FEATURE: [i32; 6] = [1, -2, 0, -2, -2, -2];
    const THRESHOLD: [f64; 6] = [0.5, -2.0, -1.0, -2.0, -2.0, -2.0];
    const LEFT: [i32; 6] = [1, -1, 3, -1, -1, -1];
    const RIGHT: [i32; 6] = [2, -1, 4, -1, -1, -1];
    const VALUE: [f64; 6] = [0.0, 1.0, 0.0, 2.0, 4.0, 8.0];

    fn flat<'a>() -> Flat<'a> {
        Flat {
            feature: &FEATURE,
            threshold: &THRESHOLD,
            left: &LEFT,
            right: &RIGHT,
            value: &VALUE,
            offsets: &[0, 5, 6],
            features: 2,
            outputs: 1,
        }
    }

    #[test]
    fn hand_worked() {
        let f = Forest::new(flat()).unwrap();
        let rows = [0.0, 0.5, -1.0, 0.6, 0.0, 0.6, f64::NAN, 0.0, 0.0, 1e300];
        let mut out = [0.0; 5];
        f.predict(&rows, &mut out).unwrap();
        assert_eq!(out[..3], [4.5, 5.0, 6.0]);
        assert!(out[3].is_nan() && out[4].is_nan());
        assert!(f.predict(&rows[1..], &mut out).is_err());
    }

    #[test]
    fn narrow_thresholds_decide_like_wide_ones() {
        for t in [
            0.1,
            -0.1,
            0.3,
            1e-40,
            16_777_217.0,
            -16_777_217.0,
            1e300,
            -1e300,
            0.0,
        ] {
            let cut = floor32(t);
            for x in [t as f32, (t as f32).next_up(), (t as f32).next_down()] {
                assert_eq!(x <= cut, f64::from(x) <= t, "{t} {x}");
            }
        }
    }

    #[test]
    fn bad_arrays_are_refused() {
        let bad = |change: &dyn Fn(&mut Flat<'_>)| {
            let mut f = flat();
            change(&mut f);
            Forest::new(f).is_err()
        };
        assert!(bad(&|f| f.left = &[1, -1, 6, -1, -1, -1]), "outside");
        assert!(bad(&|f| f.left = &[1, -1, 5, -1, -1, -1]), "in another tree");
        assert!(bad(&|f| f.left = &[0, -1, 3, -1, -1, -1]), "a loop");
        assert!(bad(&|f| f.left = &[1, -1, -1, -1, -1, -1]), "half a leaf");
        assert!(bad(&|f| f.left = &[3, -1, 3, -1, -1, -1]), "two parents");
        assert!(bad(&|f| f.feature = &[2, -2, 0, -2, -2, -2]), "feature");
        assert!(bad(&|f| f.threshold = &[f64::NAN; 6]), "threshold");
        assert!(bad(&|f| f.value = &[f64::NAN; 6]), "value");
        assert!(bad(&|f| f.value = &[0.0; 5]), "length");
        assert!(bad(&|f| f.offsets = &[0, 5]), "end");
        assert!(bad(&|f| f.offsets = &[1, 5, 6]), "start");
        assert!(bad(&|f| f.offsets = &[0, 7, 6]), "order");
        assert!(bad(&|f| f.offsets = &[0, -1, 6]), "sign");
        assert!(bad(&|f| f.features = 1), "columns");
    }
}
