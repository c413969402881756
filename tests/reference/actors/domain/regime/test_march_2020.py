"""On real hourly bars the default detectors call the crash of 12 March 2020 on the day, and not before."""

from __future__ import annotations

from math import log, nan

import pandas as pd
import pytest

from actors.domain import registry
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble


@pytest.mark.shared_data
def test_the_crash_is_called_within_its_first_hours(shared_data):
    bars = pd.read_parquet(shared_data / "ohlcv/binance_spot/BTCUSDT_1h.parquet").set_index("timestamp")
    bars = bars.loc["2020-01-15":"2020-03-14"]
    members = [
        registry.build("actors.domain.regime", kind, fits=InlineFits(), name=f"x/{kind}", seed=7)
        for kind in ("hmm", "volatility", "trend")
    ]
    ensemble = RegimeEnsemble(EnsembleParams(), members=3)
    labels, last = [], nan
    columns = (bars.high.tolist(), bars.low.tolist(), bars.close.tolist())
    for i, (h, lo, c) in enumerate(zip(*columns, strict=True)):
        obs = Observation(step=i, high=h, low=lo, close=c, log_return=log(c / last))
        labels.append(ensemble.update([m.update(obs) for m in members]).label)
        last = c
    label = pd.Series(labels, index=bars.index)
    assert "crash" not in set(label.loc["2020-02-05":"2020-03-11"])
    first = label.loc["2020-03-12":].eq("crash").idxmax()
    # the price fell from 7,355 to 6,015 in the bar that opened at 10:00 UTC
    assert pd.Timestamp("2020-03-12 08:00", tz="UTC") <= first <= pd.Timestamp("2020-03-12 16:00", tz="UTC")
