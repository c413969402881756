//! Batch equals streaming to the bit on every instruction set, and snapshots continue to the same future.

use tradewind_kernels as k;

/// Deterministic walk: a linear congruential generator, so that the test needs no crate.
fn walk(bars: usize) -> Vec<f64> {
    let mut seed = 7_u64;
    let mut x = 30_000.0;
    (0..bars)
        .map(|_| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            x *= 1.0 + ((seed >> 33) as f64 / f64::from(1_u32 << 31) - 0.5) * 0.01;
            x
        })
        .collect()
}

fn bits(x: &[f64]) -> Vec<u64> {
    x.iter()
        .map(|v| if v.is_nan() { u64::MAX } else { v.to_bits() })
        .collect()
}

fn hard_series() -> Vec<Vec<f64>> {
    let calm = walk(2_600);
    let mut crash = calm.clone();
    crash[900..].iter_mut().for_each(|v| *v *= 1e-5);
    let mut holes = calm.clone();
    (holes[300], holes[1_500]) = (f64::NAN, f64::INFINITY);
    let mut flat = calm.clone();
    flat[500..].fill(calm[500]);
    vec![calm, crash, holes, flat]
}

type Batch = fn(&[f64], &mut [f64]);
type Make = Box<dyn Fn() -> Box<dyn FnMut(f64) -> f64>>;

/// One test for all paths: the choice is process-wide, so it must not run beside another that sets it.
#[test]
fn batch_equals_streaming_on_every_path() {
    let cases: Vec<(Batch, Make)> = vec![
        (
            |x, o| k::sma(x, 20, o).unwrap(),
            Box::new(|| {
                let mut s = k::Sma::new(20).unwrap();
                Box::new(move |v| s.update(v))
            }),
        ),
        (
            |x, o| k::sma(x, 200, o).unwrap(),
            Box::new(|| {
                let mut s = k::Sma::new(200).unwrap();
                Box::new(move |v| s.update(v))
            }),
        ),
        (
            |x, o| k::ema(x, 21, o).unwrap(),
            Box::new(|| {
                let mut s = k::Ema::new(21).unwrap();
                Box::new(move |v| s.update(v))
            }),
        ),
        (
            |x, o| k::rsi(x, 14, o).unwrap(),
            Box::new(|| {
                let mut s = k::Rsi::new(14).unwrap();
                Box::new(move |v| s.update(v))
            }),
        ),
        (
            |x, o| k::std(x, 20, o).unwrap(),
            Box::new(|| {
                let mut s = k::Std::new(20).unwrap();
                Box::new(move |v| s.update(v))
            }),
        ),
        (
            |x, o| {
                let (mut m, mut h) = (vec![0.0; x.len()], vec![0.0; x.len()]);
                let out = k::MacdOut {
                    line: &mut m,
                    signal: o,
                    histogram: &mut h,
                };
                k::macd(x, 12, 26, 9, out).unwrap();
            },
            Box::new(|| {
                let mut s = k::Macd::new(12, 26, 9).unwrap();
                Box::new(move |v| s.update(v).1)
            }),
        ),
    ];
    for path in [k::Path::Portable, k::Path::Sse2, k::Path::Avx128, k::Path::Avx2] {
        if !k::force_path(path) {
            continue;
        }
        assert_eq!(k::path(), path);
        for x in hard_series() {
            for (n, (batch, make)) in cases.iter().enumerate() {
                let mut out = vec![0.0; x.len()];
                batch(&x, &mut out);
                let mut step = make();
                let streamed: Vec<f64> = x.iter().map(|v| step(*v)).collect();
                assert_eq!(bits(&out), bits(&streamed), "case {n} on {path:?}");
            }
        }
    }
}

#[test]
fn a_snapshot_continues_to_the_same_future() {
    let x = walk(700);
    let mut whole = k::Bollinger::new(20, 2.0).unwrap();
    for (i, v) in x.iter().enumerate() {
        let mut copy = k::Bollinger::restore(&whole.snapshot()).unwrap();
        let (a, b) = (whole.update(*v), copy.update(*v));
        assert_eq!(bits(&[a.0, a.1, a.2]), bits(&[b.0, b.1, b.2]), "bar {i}");
    }
}

#[test]
fn a_set_row_holds_what_its_indicators_say() {
    let x = walk(300);
    let mut set = k::IndicatorSet::new(k::SetParams::default()).unwrap();
    let (mut sma, mut atr, mut adx) = (
        k::Sma::new(20).unwrap(),
        k::Atr::new(14).unwrap(),
        k::Adx::new(14).unwrap(),
    );
    let at = |name: &str| k::COLUMNS.iter().position(|c| *c == name).unwrap();
    for c in x {
        let (h, l) = (c * 1.001, c * 0.999);
        let row = set.update(k::Bar {
            high: h,
            low: l,
            close: c,
            volume: 2.0,
        });
        let expected = [sma.update(c), atr.update(h, l, c), adx.update(h, l, c).0];
        assert_eq!(
            bits(&[row[at("sma")], row[at("atr")], row[at("adx")]]),
            bits(&expected)
        );
    }
}

#[test]
fn nan_leaves_a_window_with_the_bar_that_brought_it() {
    let mut x = walk(1_200);
    x[600] = f64::NAN;
    let mut out = vec![0.0; x.len()];
    k::std(&x, 20, &mut out).unwrap();
    let broken: Vec<usize> = (19..x.len()).filter(|i| out[*i].is_nan()).collect();
    assert_eq!(broken, (600..620).collect::<Vec<_>>());
    k::sma(&x, 20, &mut out).unwrap();
    let broken: Vec<usize> = (19..x.len()).filter(|i| out[*i].is_nan()).collect();
    assert_eq!(broken, (600..620).collect::<Vec<_>>());
}

#[test]
fn a_calm_stretch_after_a_jump_has_no_deviation_left_over() {
    let mut x = walk(100);
    x.extend(std::iter::repeat_n(x[99] * 1.5, 400));
    let mut out = vec![0.0; x.len()];
    k::std(&x, 20, &mut out).unwrap();
    assert!(out[119..].iter().all(|v| *v == 0.0));
}

#[test]
fn misuse_is_refused() {
    let (x, mut out) = ([1.0; 4], [0.0; 3]);
    assert_eq!(
        k::sma(&x, 2, &mut out),
        Err(k::KernelError::Length {
            expected: 4,
            found: 3
        })
    );
    assert!(matches!(k::Sma::new(0), Err(k::KernelError::Param(_))));
    assert!(matches!(k::Macd::new(26, 12, 9), Err(k::KernelError::Param(_))));
    assert!(matches!(
        k::Bollinger::new(20, f64::NAN),
        Err(k::KernelError::Param(_))
    ));
    let ema = k::Ema::new(5).unwrap().snapshot();
    assert!(matches!(k::Sma::restore(&ema), Err(k::KernelError::Snapshot(_))));
    assert!(matches!(
        k::Ema::restore(&ema[..20]),
        Err(k::KernelError::Snapshot(_))
    ));
}
