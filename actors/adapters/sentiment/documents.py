"""Documents to items: CSV, JSON, JSON lines, and feeds in XML, with limits on everything."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from actors.adapters.sentiment.port import MAX_ITEMS, MAX_TEXT, Layout, RawItem, ordered
from actors.adapters.sentiment.times import parse_time
from actors.adapters.sentiment.xml_feeds import xml_rows
from actors.domain.errors import DataError

_NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("published_at", "published", "pubdate", "date_published", "created_at", "created_utc", "timestamp", "time",
             "date", "datetime", "updated"),
    "text": ("title", "headline", "news", "text", "short description", "content_text", "body", "summary",
             "description"),
    "score": ("score", "sentiment_score"),  # what a person has labelled is no score, unless the user says so
    "value": ("value", "index", "fear_greed", "fng_value"),
    "first_seen": ("first_seen", "first_seen_at", "seen_at", "received_at"),
    "edited": ("updated", "updated_at", "modified", "date_modified"),
}  # fmt: skip
_LISTS = ("items", "data", "articles", "posts", "entries", "results")
_HARD_LIMIT = 10_000_000  # characters of one CSV cell


def items_of(data: bytes, *, kind: str, layout: Layout, where: str) -> tuple[tuple[RawItem, ...], list[str]]:
    """Return the items of a document and notes of what was left out.

    Parameters
    ----------
    data : bytes
        UTF-8; what it is, is told by how it begins.
    kind : str
    layout : Layout
    where : str
        Name of the source in messages.

    Raises
    ------
    DataError
        If the document is malformed, has no such columns, no item with a time, or more than a tenth of those are unfit.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise DataError(
            "SENTIMENT_ENCODING", f"{where}: expected UTF-8, found byte {e.start} that is none"
        ) from e
    head = text.lstrip()[:1]
    if not head:
        raise DataError("SENTIMENT_EMPTY", f"{where}: expected items, found an empty document")
    if head == "<":
        rows: Sequence[Mapping[str, Any]] = xml_rows(data, where=where)
    elif head in "[{":
        rows = _json_rows(text, where)
    else:
        rows = _csv_rows(text, where)
    if len(rows) > MAX_ITEMS:
        raise DataError("SENTIMENT_SIZE", f"{where}: expected at most {MAX_ITEMS} rows, found {len(rows)}")
    if not rows:
        raise DataError("SENTIMENT_EMPTY", f"{where}: expected items, found none")
    return _items(rows, kind=kind, layout=layout, where=where)


def _csv_rows(text: str, where: str) -> list[dict[str, Any]]:
    csv.field_size_limit(_HARD_LIMIT)
    try:
        return list(csv.DictReader(io.StringIO(text), strict=True))
    except csv.Error as e:
        raise DataError("SENTIMENT_CSV", f"{where}: expected CSV with a header, found {e}") from e


def _json_rows(text: str, where: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except RecursionError as e:
        raise DataError("SENTIMENT_JSON", f"{where}: expected a list of objects, found deep nesting") from e
    except ValueError as e:
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            found = [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            raise DataError("SENTIMENT_JSON", f"{where}: expected JSON or JSON lines, found {e}") from e
    if isinstance(found, dict):
        held = [found[name] for name in _LISTS if isinstance(found.get(name), list)]
        found = held[0] if held else [found]
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise DataError(
            "SENTIMENT_JSON",
            f"{where}: expected a list of objects, alone or under {', '.join(_LISTS)}, found something else",
        )
    return found


def _column(rows: Sequence[Mapping[str, Any]], what: str, layout: Layout, where: str) -> str | None:
    """Return the column that holds `what`, None if there is none."""
    present = dict.fromkeys(k for row in rows[:50] for k in row if isinstance(k, str))
    named = layout.columns.get(what)
    if named == "":  # a column that is there shall not be read
        return None
    if named is not None:
        if named not in present:
            raise DataError(
                "SENTIMENT_COLUMN",
                f"{where}: expected a column {named!r} for {what}, found {', '.join(present) or 'none'}",
            )
        return named
    by_name = {k.strip().lower(): k for k in present}
    return next((by_name[n] for n in _NAMES[what] if n in by_name), None)


def _items(
    rows: Sequence[Mapping[str, Any]], *, kind: str, layout: Layout, where: str
) -> tuple[tuple[RawItem, ...], list[str]]:
    found = {what: _column(rows, what, layout, where) for what in _NAMES}
    needed = ("time", "value") if kind == "index" else ("time", "text")
    for what in needed:
        if found[what] is None:
            raise DataError(
                "SENTIMENT_COLUMN",
                f"{where}: expected a column with the {what} (such as {', '.join(_NAMES[what][:4])}), found "
                f"{', '.join(map(str, rows[0]))}; name it under columns",
            )
    items: list[RawItem] = []
    faults: list[str] = []
    undated = 0
    time = found["time"] or ""
    for number, row in enumerate(rows, 1):
        if not str(row.get(time) or "").strip():
            undated += 1  # feeds have such: nobody can tell when it was known
            continue
        try:
            items.append(_item(row, found, kind, layout))
        except DataError as e:
            faults.append(f"row {number}: {e.message}")
    dated = len(rows) - undated
    if not dated:
        raise DataError(
            "SENTIMENT_ROWS",
            f"{where}: expected items with a time, found none among {len(rows)}, all undated",
        )
    if len(faults) * 10 > dated:
        raise DataError(
            "SENTIMENT_ROWS",
            f"{where}: expected rows with a time and a {needed[1]}, found {len(faults)} of {dated} unfit, first "
            f"{faults[0]}",
        )
    notes = [f"{where}: {len(faults)} of {len(rows)} rows left out, first {faults[0]}"] if faults else []
    if undated:
        notes.append(f"{where}: {undated} of {len(rows)} items left out, which have no time")
    return ordered(items), notes


def _item(row: Mapping[str, Any], found: Mapping[str, str | None], kind: str, layout: Layout) -> RawItem:
    def cell(what: str) -> str:
        name = found[what]
        value = None if name is None else row.get(name)
        return "" if value is None else str(value)

    known = parse_time(cell("time"), day_first=layout.day_first)
    for later in ("first_seen", "edited"):  # the text is that of the last edit: nobody knew it before
        if cell(later).strip():
            known = max(known, parse_time(cell(later), day_first=layout.day_first))
    if kind == "index":
        return RawItem(known, "", _number(cell("value"), 0.0, 100.0) / 50.0 - 1.0)
    text = " ".join(cell("text")[:MAX_TEXT].split())
    if not text:
        raise DataError("SENTIMENT_TEXT", "expected a text, found an empty one")
    score = cell("score").strip()
    return RawItem(known, text, _number(score, -1.0, 1.0) if score else None)


def _number(text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise DataError("SENTIMENT_VALUE", f"expected a number from {low:g} to {high:g}, found {text[:40]!r}")
    return value


def to_csv(items: Iterable[RawItem], kind: str) -> str:
    """Return items as CSV that `items_of` reads again: times to the millisecond, rounded up, for nobody knew before."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["published_at", "value"] if kind == "index" else ["published_at", "title", "score"])
    for item in items:
        when = f"{-(-item.published_ns // 1_000_000)}"
        if kind == "index":
            # nine places: what float arithmetic added is not in the figure
            writer.writerow([when, f"{round(((item.score or 0.0) + 1.0) * 50.0, 9):.12g}"])
        else:
            writer.writerow([when, item.text, "" if item.score is None else repr(item.score)])
    return out.getvalue()
