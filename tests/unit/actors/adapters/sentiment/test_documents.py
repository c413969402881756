"""Documents of news, posts and indices: every form, its times, and what is refused."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actors.adapters.sentiment.collectors import FileCollector, HttpCollector, unpacked
from actors.adapters.sentiment.documents import items_of, to_csv
from actors.adapters.sentiment.port import MAX_TEXT, Layout
from actors.adapters.sentiment.times import parse_time
from actors.domain.errors import DataError

RSS = b"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>The paper</title>
<item><title>Bitcoin &amp; ether soar</title><description><![CDATA[<p>Lead <b>text</b></p>]]></description>
<pubDate>Sat, 02 Jan 2021 03:04:05 GMT</pubDate></item>
<item><description>&lt;i&gt;No title&lt;/i&gt; here</description><dc:date>2021-01-01T00:00:00+01:00</dc:date></item>
</channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title>
<entry><title type="html">ETH slips</title><updated>2021-02-01T10:00:00Z</updated>
<published>2021-02-01T09:00:00Z</published><author><name>title of nobody</name></author></entry></feed>"""


def ns(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9


def read(data: bytes | str, kind: str = "news", **layout):
    raw = data if isinstance(data, bytes) else data.encode()
    return items_of(raw, kind=kind, layout=Layout(**layout), where="x")


def test_rss_and_atom() -> None:
    items, notes = read(RSS)
    assert [(i.published_ns, i.text) for i in items] == [
        (ns(2020, 12, 31, 23), "No title here"), (ns(2021, 1, 2, 3, 4, 5), "Bitcoin & ether soar"),
    ]  # fmt: skip
    assert notes == []
    (item,) = read(ATOM)[0]
    # the title is that of the last edit, an hour after the entry was published
    assert (item.published_ns, item.text, item.score) == (ns(2021, 2, 1, 10), "ETH slips", None)
    (item,) = read(ATOM.replace(b"<updated>2021-02-01T10:00:00Z</updated>", b""))[0]
    assert item.published_ns == ns(2021, 2, 1, 9)


@pytest.mark.parametrize("name", ["foo", "shift_jis", "utf-16"])
def test_what_a_feed_says_of_its_encoding_does_not_matter(name: str) -> None:
    said = RSS.replace(b'encoding="UTF-8"', f'encoding="{name}"'.encode())
    assert read(said)[0] == read(RSS)[0]


def test_json_forms() -> None:
    post = {"created_at": 1_612_137_600, "body": "to the moon", "id": 3}
    for document in ([post], {"posts": [post]}, {"items": [post], "next": None}, post):
        (item,) = read(json.dumps(document), "social")[0]
        assert (item.published_ns, item.text) == (ns(2021, 2, 1), "to the moon")
    assert len(read("\n".join([json.dumps(post)] * 3), "social")[0]) == 3
    fng = {
        "name": "x",
        "data": [{"value": "25", "timestamp": "1612137600"}, {"value": "75", "timestamp": "1612224000"}],
    }
    assert [(i.published_ns, i.score) for i in read(json.dumps(fng), "index")[0]] == [
        (ns(2021, 2, 1), -0.5), (ns(2021, 2, 2), 0.5)
    ]  # fmt: skip


def test_csv_its_own_names_and_given_ones() -> None:
    text = "Date,Short Description,Score\n2021-02-01 10:00:00,Up we go,0.5\n2021-02-01 09:00:00,Down,\n"
    assert [(i.text, i.score) for i in read(text)[0]] == [("Down", None), ("Up we go", 0.5)]
    assert [i.score for i in read(text, columns={"score": ""})[0]] == [None, None]
    assert read(text, columns={"text": "Date"})[0][0].text == "2021-02-01 09:00:00"
    with pytest.raises(DataError, match="expected a column 'no' for text, found Date, Short Description"):
        read(text, columns={"text": "no"})


@pytest.mark.parametrize("name", ["Accurate Sentiments", "label", "sentiment"])
def test_labels_are_no_scores_unless_the_user_says_so(name: str) -> None:
    text = f"Date,Short Description,{name}\n2021-02-01 10:00:00,Up we go,-1\n"
    assert [i.score for i in read(text)[0]] == [None]
    assert [i.score for i in read(text, columns={"score": name})[0]] == [-1.0]


def test_first_seen_counts_where_it_is_later() -> None:
    day = "2021-01-01T00:00:00"
    text = f"published,title,first_seen\n{day},a,2021-01-01T06:00:00\n{day},b,2020-12-01T00:00:00\n"
    assert [(i.text, i.published_ns) for i in read(text)[0]] == [
        ("b", ns(2021, 1, 1)), ("a", ns(2021, 1, 1, 6))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "day_first", "expected"),
    [
        ("2021-01-01", False, ns(2021, 1, 2)),  # a day is over before it counts
        ("2021-01-01 00:00", False, ns(2021, 1, 1)),
        ("20210101", False, ns(2021, 1, 2)),
        ("2021-W01-1", False, ns(2021, 1, 5)),
        ("20210101T05", False, ns(2021, 1, 1, 5)),
        ("1 Feb 2021 03:00:00 GMT", False, ns(2021, 2, 1, 3)),
        ("2021-01-01T00:00:00.250Z", False, ns(2021, 1, 1) + 250_000_000),
        ("2021-01-01T02:00:00+02:00", False, ns(2021, 1, 1)),
        ("25-4-2022 14:22", True, ns(2022, 4, 25, 14, 22)),
        ("3/4/2022", True, ns(2022, 4, 4)),
        ("1612137600000", False, ns(2021, 2, 1)),
        ("Mon, 01 Feb 2021 00:00:00 +0000", False, ns(2021, 2, 1)),
    ],
)
def test_times(text: str, day_first: bool, expected: int) -> None:
    assert parse_time(text, day_first=day_first) == expected


@pytest.mark.parametrize(
    "text", ["", "soon", "25-4-2022", "2021-13-01", "99999999999999999999", "1e9", "nan", "2021", "2021-W01"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="time: expected ISO 8601"):
        parse_time(text)


BOMB = b"""<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY l2 "&lol;&lol;&lol;">]><rss><channel>
<item><title>&l2;</title><pubDate>2021-01-01T00:00:00Z</pubDate></item></channel></rss>"""


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        (b"", "news", "found an empty document"),
        (b"\xff\xfe\x00", "news", "expected UTF-8, found byte 0"),
        (BOMB, "news", "expected a feed without a document type"),
        (
            b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><rss/>',
            "news",
            "expected a feed without a document type",
        ),
        (b"<rss><channel><item>", "news", "expected a feed in XML, found"),
        (b"<html><body/></html>", "news", "expected RSS or Atom, found <html>"),
        (b"<rss><channel/></rss>", "news", "expected items, found none"),
        (b"<rss>" + b"<a>" * 100 + b"</a>" * 100 + b"</rss>", "news", "nested elements"),
        (b"[1, 2]", "news", "expected a list of objects"),
        (b'{"a": ', "news", "expected JSON or JSON lines"),
        (b"[" * 100_000, "news", "expected"),
        (b"title,text\na,b\n", "news", "expected a column with the time"),
        (b"date,price\n2021-01-01,3\n", "news", "expected a column with the text"),
        (b"date,title\n2021-01-01,3\n", "index", "expected a column with the value"),
        (b"date,value\n2021-01-01,101\n", "index", "row 1: expected a number from 0 to 100, found '101'"),
        (b"date,value\n2021-01-01,nan\n", "index", "row 1: expected a number from 0 to 100"),
        (b"date,title,score\n2021-01-01,a,2\n", "news", "row 1: expected a number from -1 to 1, found '2'"),
        (b"date,title\nsoon,a\n", "news", "row 1: time: expected ISO"),
        (b'date,title\n2021-01-01,"a\n', "news", "expected CSV with a header"),
    ],
)
def test_what_is_no_source_is_refused_clearly(data: bytes, kind: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(data, kind)


def test_a_few_bad_rows_are_left_out_and_said() -> None:
    rows = "".join(f"2021-01-{k:02d}T00:00:00,news {k}\n" for k in range(1, 20))
    items, notes = read(f"date,title\n{rows}2021-01-21T00:00:00,\n")
    assert len(items) == 19
    assert notes == ["x: 1 of 20 rows left out, first row 20: expected a text, found an empty one"]


def test_undated_items_are_left_out_and_counted() -> None:
    """However many: a feed of ten items with one date has one item that can be used."""
    rows = "".join(f",news {k}\n" for k in range(9))
    items, notes = read(f"date,title\n{rows}2021-01-21T00:00:00,known\n")
    assert [i.text for i in items] == ["known"]
    assert notes == ["x: 9 of 10 items left out, which have no time"]
    feed = b"<rss><channel><item><title>a</title><pubDate>Fri, 01 Jan 2021 10:00:00 GMT</pubDate></item>" + (
        b"<item><title>b</title></item>" * 3 + b"</channel></rss>"
    )
    items, notes = read(feed)
    assert (len(items), len(notes)) == (1, 1)
    with pytest.raises(DataError, match="all undated"):
        read(f"date,title\n{rows}")
    with pytest.raises(DataError, match="expected a column with the time"):
        read("title\nnews\n")


def test_an_index_is_written_as_it_was_read() -> None:
    index, _ = read("date,value\n2021-01-01,15\n2021-01-02,57.3\n2021-01-03,99.99\n", "index")
    written = to_csv(index, "index")
    assert [line.split(",")[1] for line in written.splitlines()[1:]] == ["15", "57.3", "99.99"]
    assert read(written, "index")[0] == index


def test_long_texts_are_cut_and_csv_is_read_again() -> None:
    items, _ = read(
        f'date,title,score\n2021-01-01T00:00:01.5,{"crash " * 20_000},-0.25\n2021-01-02,"a, ""b""",\n'
    )
    assert len(items[0].text) <= MAX_TEXT
    assert read(to_csv(items, "news"))[0] == items
    index, _ = read("date,value\n2021-01-01,33\n2021-01-02,50\n", "index")
    assert read(to_csv(index, "index"), "index")[0] == index


def test_a_file_says_no_item_was_known_before_it_was() -> None:
    items, _ = read("date,title\n2021-01-01T00:00:00.000001Z,a\n")
    again = read(to_csv(items, "news"))[0]
    assert items[0].published_ns <= again[0].published_ns < items[0].published_ns + 1_000_000


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"date,title\n2021-01-01,a\n"))
    found = FileCollector(path).collect()
    assert len(found.items) == 1
    assert len(found.digest) == 64
    with pytest.raises(DataError, match="expected a file to read, found No such file"):
        FileCollector(tmp_path / "none.csv").collect()
    with pytest.raises(DataError, match="expected at most 10 bytes"):
        FileCollector(path, max_bytes=10).collect()


def test_gzip_that_grows_without_end_is_stopped() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(DataError, match="at most 1000000 bytes, found more than"):
        unpacked(bomb, limit=1_000_000, where="x")
    with pytest.raises(DataError, match="found an end too early"):
        unpacked(gzip.compress(b"abc" * 100)[:-12], limit=1000, where="x")
    with pytest.raises(DataError, match="expected whole gzip data"):
        unpacked(b"\x1f\x8bnonsense", limit=1000, where="x")


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "//x", "", "http://me:pw@host/x", "https://"]
)
def test_addresses_that_are_none_are_refused_and_their_passwords_not_told(url: str) -> None:
    with pytest.raises(DataError, match="expected http:// or https://") as e:
        HttpCollector(url).collect()
    assert "pw" not in str(e.value)
