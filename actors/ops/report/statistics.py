"""What the metrics' table leaves out: figures of bars, how the run moved with its benchmark, and how it was chosen."""

from __future__ import annotations

from actors.domain.evaluation.report_model import ReportModel
from actors.ops.report.tables import Table, number

# key of the model's statistics → (label, unit, scale to show, decimals)
OF_BARS: tuple[tuple[str, str, str, float, int], ...] = (
    ("win_rate_bars_frac", "winning bars (of all; 0 is none)", "%", 100, 1),
    ("profit_factor_bars", "profit factor of bars", "", 1, 3),
    ("max_consecutive_losing_bars", "longest run of losing bars", "bars", 1, 0),
    ("best_bar_frac", "best bar", "%", 100, 2),
    ("worst_bar_frac", "worst bar", "%", 100, 2),
    ("tail_ratio", "tail ratio (95 % over 5 % quantile)", "", 1, 2),
    ("ulcer", "ulcer index (√ mean drawdown²)", "%", 100, 2),
)
_OF_BENCHMARK: tuple[tuple[str, str, str, float, int], ...] = (
    ("alpha_ann_frac", "alpha (not compounded, rate 0)", "% a year", 100, 2),
    ("alpha_t", "t-statistic of alpha", "", 1, 2),
    ("beta", "beta", "", 1, 3),
    ("correlation", "correlation of bar returns", "", 1, 3),
    ("tracking_error_ann_frac", "tracking error", "% a year", 100, 2),
    ("information_ratio_ann", "information ratio, annual", "", 1, 2),
)


def bars_table(model: ReportModel) -> Table | None:
    """Figures of bars, not of trades; None of a run that was stored before there were any."""
    if not model.statistics:
        return None
    rows = [
        (label, number(model.statistics.get(key), decimals, scale), unit)
        for key, label, unit, scale, decimals in OF_BARS
    ]
    return Table(
        caption="Figures of bars",
        headers=("figure", "value", "unit"),
        rows=rows,
        numeric=(False, True, False),
        note=f"Of {model.metrics['bars']:,} bars, costs included; figures of round trips stand above.",
    )


def benchmark_table(model: ReportModel) -> Table | None:
    """How the run moved with buy and hold."""
    if "beta" not in model.benchmark_metrics:
        return None
    rows = [
        (label, number(model.benchmark_metrics.get(key), decimals, scale), unit)
        for key, label, unit, scale, decimals in _OF_BENCHMARK
    ]
    return Table(
        caption="Against buy and hold",
        headers=("figure", "value", "unit"),
        rows=rows,
        numeric=(False, True, False),
        note="Least squares of bar returns on those of the benchmark; the t-statistic takes bars for independent.",
    )


def choice_table(model: ReportModel) -> Table | None:
    """Among how many trials the parameters were chosen, and what that leaves of the Sharpe ratio."""
    if "trials" not in model.statistics:
        return None
    found, trials = model.config.get("provenance"), model.statistics["trials"]
    if trials is None or not found:
        note = (
            "Nobody has said how many trials led to these parameters, so nothing is deflated: if there were several, "
            "the figures of this page flatter. A study writes it into the configurations that it hands over."
        )
        return Table(
            caption="How the parameters were chosen",
            headers=("figure", "value", "unit"),
            rows=[("trials", "not known", ""), ("deflated Sharpe ratio", "–", "%")],
            numeric=(False, True, False),
            note=note,
        )
    rows = [
        ("study", str(found["study"]), ""),
        ("trial chosen", str(found["trial"]), ""),
        ("trials", f"{trials:,}", ""),
        ("probability that true Sharpe > 0", number(model.metrics.get("psr"), 1, 100), "%"),
        ("deflated Sharpe ratio", number(model.statistics.get("dsr"), 1, 100), "%"),
    ]
    return Table(
        caption="How the parameters were chosen",
        headers=("figure", "value", "unit"),
        rows=rows,
        numeric=(False, True, False),
        note="Deflated: the probability that the true Sharpe ratio exceeds what the best of as many worthless trials "
        "would show by chance (Bailey & López de Prado 2014); of one trial it is not defined. Over the bars that the "
        "study has seen it still flatters: bars that it has not seen are the better test.",
    )
