"""A step cut into the moments that its finer bars tell apart: the same rules then hold for each of them.

A pair without finer bars is settled whole, in the moment in which its bar opens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actors.domain.events.market import BarClosed, BarDetailed

Moment = Mapping[str, BarClosed]


def moments(bars: Moment, details: Mapping[str, BarDetailed]) -> Sequence[Moment]:
    """Return the bars that open at the same time, in order of time; without details the step itself.

    Examples
    --------
    >>> bar = BarClosed(ts_event_ns=2, source="x", instrument_id="A/B", open_ns=0, close_ns=2,
    ...                 open=5.0, high=7.0, low=5.0, close=6.0, volume=3.0)
    >>> finer = BarDetailed(ts_event_ns=2, source="x", instrument_id="A/B", step_ns=1, open_ns=(0, 1),
    ...                     open=(5.0, 6.0), high=(7.0, 6.0), low=(5.0, 6.0), close=(6.0, 6.0), volume=(1.0, 2.0))
    >>> [(m["A/B"].open_ns, m["A/B"].high) for m in moments({"A/B": bar}, {"A/B": finer})]
    [(0, 7.0), (1, 6.0)]
    """
    if not details or not bars:
        return (bars,)
    parts: dict[int, dict[str, BarClosed]] = {}
    for pair, bar in bars.items():
        detail = details.get(pair)
        for part in (bar,) if detail is None else finer_bars(detail):
            parts.setdefault(part.open_ns, {})[pair] = part
    return [parts[opened] for opened in sorted(parts)]


def finer_bars(detail: BarDetailed) -> list[BarClosed]:
    """Return the finer bars one by one."""
    columns = (detail.open_ns, detail.open, detail.high, detail.low, detail.close, detail.volume)
    return [
        BarClosed(
            ts_event_ns=opened + detail.step_ns, source=detail.source, instrument_id=detail.instrument_id,
            open_ns=opened, close_ns=opened + detail.step_ns, open=o, high=h, low=low, close=c, volume=v,
        )
        for opened, o, h, low, c, v in zip(*columns, strict=True)
    ]  # fmt: skip
