use super::*;

fn shape(full: bool, student: bool) -> Shape {
    Shape {
        states: 2,
        features: 1,
        full,
        student,
    }
}

fn model(student: bool) -> Model {
    Model {
        start: vec![0.5, 0.5],
        transitions: vec![0.9, 0.1, 0.2, 0.8],
        means: vec![-1.0, 1.0],
        covariances: vec![1.0, 2.0],
        dof: if student { vec![5.0, 5.0] } else { vec![] },
    }
}

fn rules(max_iterations: usize) -> FitRules {
    FitRules {
        max_iterations,
        tolerance: f64::NEG_INFINITY,
        fit_start: true,
        fit_dof: false,
        min_variance: 1e-9,
    }
}

/// Two levels that take turns, with some noise.
fn series(bars: usize) -> Vec<f64> {
    let mut state = 12345u64;
    (0..bars)
        .map(|t| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let noise = (state >> 33) as f64 / (1u64 << 31) as f64 - 0.5;
            if (t / 40) % 2 == 0 {
                -2.0 + noise
            } else {
                2.0 + 3.0 * noise
            }
        })
        .collect()
}

fn fit(x: &[f64], s: Shape, m: &Model, iterations: usize) -> (Model, [f64; 4]) {
    let mut models = [m.clone()];
    let mut out = [[0.0; 4]];
    hmm_fit(
        x,
        s,
        &mut models,
        &Prior::none(&s),
        &rules(iterations),
        1,
        &mut out,
    )
    .unwrap();
    let [m] = models;
    (m, out[0])
}

#[test]
fn likelihood_never_falls_and_the_levels_are_found() {
    let x = series(1000);
    for student in [false, true] {
        for full in [false, true] {
            let s = shape(full, student);
            let mut best = f64::NEG_INFINITY;
            for n in 0..12 {
                let (_, found) = fit(&x, s, &model(student), n);
                assert!(
                    found[0] >= best - 1e-9,
                    "{student} {full} {n}: {} < {best}",
                    found[0]
                );
                best = found[0];
            }
            let (m, _) = fit(&x, s, &model(student), 30);
            assert!((m.means[0] + 2.0).abs() < 0.1 && (m.means[1] - 2.0).abs() < 0.2);
            assert!(m.covariances[1] > 4.0 * m.covariances[0]);
        }
    }
}

#[test]
fn one_feature_full_is_diagonal_and_threads_do_not_matter() {
    let x = series(700);
    let (a, fa) = fit(&x, shape(false, false), &model(false), 5);
    let (b, fb) = fit(&x, shape(true, false), &model(false), 5);
    assert!((fa[0] - fb[0]).abs() < 1e-9);
    assert!((a.covariances[1] - b.covariances[1]).abs() < 1e-9);
    let s = shape(false, false);
    let starts: Vec<Model> = (0..5)
        .map(|i| Model {
            means: vec![-1.0 - f64::from(i), 1.0],
            ..model(false)
        })
        .collect();
    let (mut one, mut three) = (starts.clone(), starts);
    let (mut o1, mut o3) = ([[0.0; 4]; 5], [[0.0; 4]; 5]);
    hmm_fit(&x, s, &mut one, &Prior::none(&s), &rules(7), 1, &mut o1).unwrap();
    hmm_fit(&x, s, &mut three, &Prior::none(&s), &rules(7), 3, &mut o3).unwrap();
    assert_eq!(one, three);
    assert_eq!(o1, o3);
}

#[test]
fn a_bar_out_of_reach_is_done_with_care() {
    // state 1 cannot be reached, yet explains the outlier far better
    let m = Model {
        start: vec![1.0, 0.0],
        transitions: vec![1.0, 0.0, 0.0, 1.0],
        ..model(false)
    };
    let mut x = vec![-1.0; 20];
    x[7] = 60.0;
    let (_, found) = fit(&x, shape(false, false), &m, 0);
    let by_hand: f64 = x
        .iter()
        .map(|v| -0.5 * ((v + 1.0) * (v + 1.0) + (2.0 * std::f64::consts::PI).ln()))
        .sum();
    assert!(
        (found[0] - by_hand).abs() < 1e-9 * by_hand.abs(),
        "{} {by_hand}",
        found[0]
    );
    let (m, found) = fit(&x, shape(false, false), &m, 2);
    assert!(found[0].is_finite());
    let mean: f64 = x.iter().sum::<f64>() / 20.0;
    assert!((m.means[0] - mean).abs() < 1e-9);
    assert_eq!(m.means[1], 1.0); // without bars it stays
}

#[test]
fn refuses_nonsense() {
    let s = shape(false, false);
    let ok = model(false);
    let none = Prior::none(&s);
    let call =
        |x: &[f64], m: Model, prior: &Prior| hmm_fit(x, s, &mut [m], prior, &rules(1), 1, &mut [[0.0; 4]]);
    assert!(call(&[0.0, 1.0], ok.clone(), &none).is_ok());
    assert!(call(&[0.0, f64::NAN], ok.clone(), &none).is_err());
    assert!(call(&[], ok.clone(), &none).is_err());
    assert!(call(
        &[0.0],
        Model {
            start: vec![0.5, 0.6],
            ..ok.clone()
        },
        &none
    )
    .is_err());
    assert!(call(
        &[0.0],
        Model {
            covariances: vec![1.0, 0.0],
            ..ok.clone()
        },
        &none
    )
    .is_err());
    assert!(call(
        &[0.0],
        Model {
            dof: vec![5.0, 5.0],
            ..ok.clone()
        },
        &none
    )
    .is_err());
    assert!(call(
        &[0.0],
        ok,
        &Prior {
            mean_weight: -1.0,
            ..none.clone()
        }
    )
    .is_err());
}
