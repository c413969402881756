"""RSS and Atom by expat: no document type, hence no entities that expand; depth, items and texts are bounded."""

from __future__ import annotations

from html import unescape
from re import compile as pattern
from typing import Any
from xml.parsers import expat

from actors.adapters.sentiment.port import MAX_ITEMS, MAX_TEXT
from actors.domain.errors import DataError

_DEPTH = 64
_ITEMS = ("item", "entry")
_FIELDS = {
    "title": "title", "description": "summary", "summary": "summary", "content": "summary", "pubdate": "published",
    "published": "published", "updated": "updated", "date": "published", "firstseen": "first_seen",
}  # fmt: skip
_TAG = pattern(r"<[^<>]{0,500}>")


class _Reader:
    """Collects the children of items; everything else is passed over."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.rows: list[dict[str, str]] = []
        self._path: list[str] = []
        self._row: dict[str, str] | None = None
        self._field = ""
        self._parts: list[str] = []
        self._size = 0
        self.root = ""

    def refuse(self, *_: Any) -> None:
        raise DataError(
            "SENTIMENT_XML_DOCTYPE",
            f"{self.where}: expected a feed without a document type, found one: its entities could expand without end; "
            "refused",
        )

    def start(self, name: str, _: dict[str, str]) -> None:
        tag = name.rpartition(":")[2].lower()
        self._path.append(tag)
        if len(self._path) == 1:
            self.root = tag
        if len(self._path) > _DEPTH:
            raise DataError(
                "SENTIMENT_XML_DEPTH", f"{self.where}: expected a feed, found {_DEPTH} nested elements"
            )
        if tag in _ITEMS and self._row is None:
            if len(self.rows) >= MAX_ITEMS:
                raise DataError(
                    "SENTIMENT_SIZE", f"{self.where}: expected at most {MAX_ITEMS} items, found more"
                )
            self._row = {}
        elif self._row is not None and not self._field and tag in _FIELDS:
            self._field, self._parts, self._size = tag, [], 0

    def data(self, text: str) -> None:
        if self._field and self._size < 16 * MAX_TEXT:
            self._parts.append(text)
            self._size += len(text)

    def end(self, name: str) -> None:
        tag = self._path.pop()
        if self._row is None:
            return
        if tag == self._field:
            plain = unescape(_TAG.sub(" ", "".join(self._parts)))[:MAX_TEXT]
            self._row.setdefault(_FIELDS[tag], " ".join(plain.split()))
            self._field = ""
        elif tag in _ITEMS and not self._field:
            self.rows.append(self._row)
            self._row = None


def xml_rows(data: bytes, *, where: str) -> list[dict[str, str]]:
    """Return the items of an RSS or Atom document as rows with title, summary, published or updated.

    Raises
    ------
    DataError
        If it is malformed, no feed, or has a document type.
    """
    reader = _Reader(where)
    parser = expat.ParserCreate("utf-8")  # as it was decoded before, whatever it says of itself
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.EntityDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as e:
        raise DataError("SENTIMENT_XML", f"{where}: expected a feed in XML, found {e}") from e
    if reader.root not in ("rss", "feed", "rdf"):
        raise DataError("SENTIMENT_XML", f"{where}: expected RSS or Atom, found <{reader.root}>")
    for row in reader.rows:
        if not row.get("title") and row.get("summary"):
            row["title"] = row["summary"]
    return reader.rows
