# SPDX-License-Identifier: BSD-2-Clause
"""Every drawn form of the counter: the same rows, labels and numbers as the JSON, read by parsers that are not ours."""
import base64
import hashlib
import html.parser
import json
import re
import xml.etree.ElementTree

import pytest

from world import BROWSER, eventually

SVG = "{http://www.w3.org/2000/svg}"
COUNTING = ["/hit.svg", "/frame.html"]
READING = ["/counts.svg", "/counts.html", "/shield.json"]
TYPES = {"/hit.svg": "image/svg+xml", "/counts.svg": "image/svg+xml", "/counts.html": "text/html; charset=utf-8",
         "/frame.html": "text/html; charset=utf-8", "/shield.json": "application/json; charset=utf-8"}


class Page(html.parser.HTMLParser):
    """The elements of a page with their text, and a list of (dt, dd)."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements = [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append({"tag": tag, "text": "", **dict(attrs)})
        if tag not in ("meta", "link", "input", "br", "img"):
            self.open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self.open and self.open[-1]["tag"] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open:
            self.open[-1]["text"] += data

    def all(self, tag):
        return [element for element in self.elements if element["tag"] == tag]

    def rows(self):
        return list(zip([e["text"] for e in self.all("dt")], [e["text"] for e in self.all("dd")]))


def rows_of(daemon, query=""):
    return [(row["label"], row["text"]) for row in daemon.get("/counts.json?s=a" + query).json["rows"]]


def texts(answer):
    root = xml.etree.ElementTree.fromstring(answer.body)
    assert root.tag == SVG + "svg"
    return root, [e.text for e in root.iter(SVG + "text")]


@pytest.mark.parametrize("target", COUNTING)
def test_counting_forms_count_one_hit_each(daemon, target):
    for number in range(1, 4):
        answer = daemon.get(f"{target}?s=a&u=/tin")
        assert answer.status == 200
        assert f">{number}<" in answer.body.decode() or f": {number}<" in answer.body.decode()
    assert answer.headers["Cache-Control"] == "no-store"
    head = daemon.request("HEAD", f"{target}?s=a&u=/tin")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(answer.body)))
    bot = daemon.get(f"{target}?s=a&u=/tin", User_Agent="curl/7.88.1 (x86_64-pc-linux-gnu)")
    assert bot.status == 200
    assert daemon.get(f"{target}?s=a&u=/tin&rows=nonsense").status == 400
    assert daemon.get(f"{target}?s=a&u=/tin", Origin="https://evil.example").status == 403
    assert daemon.counts()["hits"]["today"] == 3
    eventually(lambda: daemon.numbers().table("a", "pages") == {"/tin": 3})


def test_reading_forms_count_nothing_and_may_be_kept_for_a_moment(daemon):
    daemon.hit()
    for target in READING:
        answer = daemon.get(f"{target}?s=a")
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=5"
        assert answer.headers["Vary"] is None
        assert daemon.get(target, Referer="https://a.example/").headers["Vary"] == "Origin, Referer"
        assert daemon.get(f"{target}?s=nobody").status == 404
    assert daemon.counts()["hits"]["today"] == 1


@pytest.mark.parametrize("target", COUNTING + READING)
def test_headers_and_head(daemon, target):
    answer, head = daemon.get(target + "?s=a&a=1"), daemon.request("HEAD", target + "?s=a")
    assert answer.headers["Content-Type"] == TYPES[target]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert {k: v for k, v in answer.headers.items() if k != "Date"} == {k: v for k, v in head.headers.items() if k != "Date"}
    assert head.body == b""
    if target.endswith("svg"):
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert daemon.request("POST", target + "?s=a", "").status == 405
    for bad in ["rows=", "rows=today,", "metric=views", "lang=fr", "title=2", "style=big", "width=1", "width=x", "color=red"]:
        assert daemon.get(f"{target}?s=a&{bad}").status == 400


def test_every_form_shows_the_same_rows(world):
    daemon = world.thongked(site='site "a" { hosts = {"a.example"} rows = {"today", "month", "year", "total", "online"} }').start()
    daemon.hits(1234)
    eventually(lambda: daemon.counts()["online"] == 1)
    for query in ["", "&lang=en", "&rows=total,last_year,bots&lang=vi", "&metric=visits&title=0"]:
        expected = rows_of(daemon, query)
        assert len(expected) in (3, 5)
        for style in ["plain", "badge", "panel"]:
            root, said = texts(daemon.get(f"/counts.svg?s=a{query}&style={style}"))
            lines = [f"{label} : {text}" for label, text in expected]
            assert said[-len(lines):] == lines if style == "plain" else \
                said[-2 * len(lines):] == [word for row in expected for word in row]
            assert root.find(SVG + "title").text.split(". ", 1)[1] == "; ".join(lines)
            titled = "title=0" not in query and style != "badge"
            assert (said[0] in ("Thống kê truy cập", "Visitor statistics")) == titled
        fragment = Page(daemon.get(f"/counts.html?s=a{query}").body.decode())
        assert fragment.rows() == expected
        section = fragment.elements[0]
        assert (section["tag"], section["lang"]) == ("section", "en" if "en" in query else "vi")
        assert section.get("aria-label") == (None if "title=0" in query else
                                             "Visitor statistics" if "en" in query else "Thống kê truy cập")
        assert Page(daemon.get(f"/frame.html?s=a&a=1{query}").body.decode()).rows() == expected
        shield = daemon.get(f"/shield.json?s=a{query}").json
        assert (shield["label"], shield["message"]) == expected[0]
        assert shield["schemaVersion"] == 1 and shield["cacheSeconds"] >= 300
    assert daemon.counts()["hits"]["total"] == 1234


def test_no_text_of_a_drawing_leaves_it_or_runs_into_another(daemon):
    daemon.hits(1200)
    for query in ["style=plain", "style=badge", "style=panel", "style=panel&width=100", "style=badge&width=90",
                  "style=badge&width=200&rows=today,total,online,bots,last_month", "style=panel&width=500"]:
        root, _ = texts(daemon.get("/counts.svg?s=a&" + query))
        left, top, width, height = map(float, root.get("viewBox").split())
        if wished := re.search(r"width=(\d+)", query):
            assert float(root.get("width")) == float(wished[1])
        assert abs(width / height - float(root.get("width")) / float(root.get("height"))) < 0.05 * width / height
        rows = {}
        for text in root.iter(SVG + "text"):
            x, length = float(text.get("x")), float(text.get("textLength"))
            start = x - length if text.get("class") == "n" and "panel" in query else x
            assert start >= 0 and start + length <= width and 0 < float(text.get("y")) <= height
            rows.setdefault(text.get("y"), []).append((start, start + length))
        for spans in rows.values():
            spans.sort()
            assert all(a[1] + 4 < b[0] for a, b in zip(spans, spans[1:]))


def test_frame_loads_and_runs_nothing_but_its_own_style(world):
    hosts = '{"a.example", "*.a.example"}'
    daemon = world.thongked(site=f'site "a" {{ hosts = {hosts} }}\nsite "any" {{ hosts = {{"*"}} }}').start()
    for query in ["", "&color=1b5e9b", "&style=panel&color=%23fa3"]:
        answer = daemon.get(f"/frame.html?s=a&u=/{query}")
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
        assert policy["frame-ancestors"].split() == ["'self'", "http://a.example:*", "https://a.example:*",
                                                     "http://*.a.example:*", "https://*.a.example:*"]
        page = Page(answer.body.decode())
        hashes = [base64.b64encode(hashlib.sha256(e["text"].encode()).digest()).decode() for e in page.all("style")]
        assert policy["style-src"].split() == [f"'sha256-{one}'" for one in hashes]
        assert len(hashes) == (2 if "color" in query else 1)
        assert not page.all("script") and not page.all("link") and not [e for e in page.elements if "style" in e]
        assert page.all("html")[0]["lang"] == "vi" and page.all("title")[0]["text"] == "Thống kê truy cập"
    assert daemon.get("/frame.html?s=any&u=/").headers["Content-Security-Policy"].endswith("frame-ancestors *")
    assert daemon.get("/frame.html?s=a&u=/").headers["X-Frame-Options"] is None


def test_referer_of_an_image_says_the_page(daemon):
    for target in COUNTING:
        daemon.get(target, Referer="https://a.example/tin-tuc/1")
    # What browsers send across origins by default: the site is found, the page is not.
    daemon.request("GET", "/hit.svg", headers={**BROWSER, "Referer": "https://a.example/", "Host": "stats.example"})
    eventually(lambda: daemon.numbers().total("a") == 3)
    assert daemon.numbers().table("a", "pages") == {"/tin-tuc/1": 2}


def test_style_sheet_is_kept_and_compared(daemon):
    answer = daemon.get("/thongke.css")
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    again = daemon.get("/thongke.css", If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    style = re.sub(r"/\*.*?\*/", "", answer.body.decode(), flags=re.DOTALL)
    assert style.count("{") == style.count("}") > 5
    assert "url(" not in style and "@import" not in style


def test_shield_is_json_of_the_published_schema(daemon):
    daemon.hit()
    shield = json.loads(daemon.get("/shield.json?s=a&rows=total,today&color=%2300c0ff").body)
    assert shield == {"schemaVersion": 1, "label": "Tổng", "message": "1", "color": "#00c0ff", "cacheSeconds": 300}
