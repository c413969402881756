"""Why a stored backtest did not come out the same: what changed, what it led to, where decisions part; as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from actors.domain.model.timerange import format_ns

_VERSIONS = ("tradewind", "python", "numpy", "machine")
_SHOWN = 12


def causes(
    then: Mapping[str, Any], now: Mapping[str, Any], differences: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Return a sentence for each thing that changed between two records and may change what is decided.

    Parameters
    ----------
    then, now : mapping
        Of `backtest_store.run_record`.
    differences : sequence of ``what then now``
        Of their settings.
    """
    out = [*_bars(then["data"], now["data"])]
    left, right = then["versions"], now["versions"]
    if left["kernel_backend"] != right["kernel_backend"]:
        out.append(
            f"the numeric kernels were {left['kernel_backend']} then and are {right['kernel_backend']} now: equal "
            "decisions are promised for one of them"
        )
    for key, one in then["components"].items():
        other = now["components"].get(key)
        if other is not None and one.get("code") != other.get("code"):
            out.append(f"the code of {one['kind']} was edited ({key})")
    versions = [f"{n} {left[n]} then, {right[n]} now" for n in _VERSIONS if left[n] != right[n]]
    if versions:
        out.append("versions: " + "; ".join(versions))
    if left["code"] != right["code"]:
        out.append("Tradewind's own code or its compiled kernels changed")
    settings = [d for d in differences if _is_setting(d["what"])]
    out += [f"{d['what']}: {d['then']} then, {d['now']} now" for d in settings[:_SHOWN]]
    if len(settings) > _SHOWN:
        out.append(f"and {len(settings) - _SHOWN} more settings, see result.rerun.differences of the JSON")
    return out


def outcome(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return how far apart two runs came out, in one line."""
    a, b = then["metrics"], now["metrics"]
    apart = [name for name in {**a, **b} if a.get(name) != b.get(name)]
    old, new = then["trades"], now["trades"]
    trades = sum(x != y for x, y in zip(old, new, strict=False)) + abs(len(old) - len(new))
    return (
        f"net PnL {a['total_pnl_quote']} then, {b['total_pnl_quote']} now; {len(apart)} of {len(a)} metrics and "
        f"{trades} of {max(len(old), len(new))} round trips differ; {then['decisions']} decisions then, "
        f"{now['decisions']} now"
    )


def parting(found: Mapping[str, Any]) -> str:
    """Return where two decision logs part: time, kind of decision, and only what differs in it.

    Examples
    --------
    >>> one = [4, "OrderFilled", "venue", [["ts_event_ns", 0], ["instrument_id", "A/B"], ["quantity", "2"]]]
    >>> other = [4, "OrderFilled", "venue", [["ts_event_ns", 0], ["instrument_id", "A/B"], ["quantity", "3"]]]
    >>> parting({"line": 9, "step": 4, "then": one, "now": other})
    'step 4 (1970-01-01T00:00:00Z), OrderFilled of venue for A/B: quantity 2 then, 3 now'
    """
    then, now = found["then"], found["now"]
    known = then if then is not None else now
    fields = dict(known[3])
    name = f"{known[1]} of {known[2]}" + (
        f" for {fields['instrument_id']}" if fields.get("instrument_id") else ""
    )
    at = f"step {known[0]} ({format_ns(fields['ts_event_ns'])}), {name}"
    if then is None or now is None:
        return f"{at}: only {'then' if now is None else 'now'}"
    if then[:3] != now[:3]:
        other = dict(now[3])
        return f"{at} then; step {now[0]} ({format_ns(other['ts_event_ns'])}), {now[1]} of {now[2]} now"
    other = dict(now[3])
    parts = [f"{k} {fields.get(k)} then, {other.get(k)} now" for k in fields if fields.get(k) != other.get(k)]
    return f"{at}: {'; '.join(parts)}"


def _bars(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for pair in {**then, **now}:
        one, other = then.get(pair), now.get(pair)
        if one is None or other is None:
            yield f"{pair} was {'not ' if one is None else ''}in the run then"
        elif one["data_hash"] != other["data_hash"]:
            yield f"the bars of {pair} are others: {one['rows']} rows then, {other['rows']} now, from {other['source']}"


def _is_setting(what: str) -> bool:
    head = what.partition(".")[0]
    return head in ("config", "components", "path", "seed", "warmup_steps") and not what.endswith(".code")
