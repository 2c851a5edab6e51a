# SPDX-License-Identifier: BSD-2-Clause
"""The public page of statistics: real numbers of real hits, nothing that runs, and no worker that waits for Redis."""
import base64
import datetime
import hashlib
import os
import re
import signal
import threading
import time

import mmdb
from test_forms import Page
from world import ZONE, eventually, today

PUBLIC = 'site "a" { hosts = {"a.example"} public = {"metrics", "pages", "stats"} }\nsite "b" { hosts = {"b.example"} }\n'


def stats(daemon, query=""):
    answer = daemon.get("/stats?s=a" + query)
    assert answer.status == 200
    return Page(answer.body.decode())


def texts(page, tag):
    return [element["text"] for element in page.all(tag)]


def test_what_was_counted_is_on_the_page(world):
    geo = os.path.join(world.dir, "geo.mmdb")
    mmdb.write_mmdb(geo, {"192.0.2.0/24": "VN", "198.51.100.0/24": "JP"}, shape="flat")
    with open(geo, "rb") as file:
        data = file.read().replace(b"thongke-test-flat", b"DBIP-Country-Lite")
    with open(geo, "wb") as file:
        file.write(data)
    daemon = world.thongked(f'geoip = {{"{geo}"}}', site=PUBLIC).start()
    for page, referrer, address in [("/tin?x=1", "https://news.example/", "192.0.2.1"), ("/tin", "", "192.0.2.2"),
                                    ("/%3Cscript%3Ealert(1)", "https://x.example/<b>", "198.51.100.1"),
                                    ("/a%E2%80%AEgpj.exe", "", "192.0.2.1")]:
        daemon.request("GET", "/hit?s=a&u=" + page + "&r=" + referrer.replace("<", "%3C"),
                       headers={"X-Forwarded-For": address})
    eventually(lambda: daemon.numbers().total("a") == 4)
    page = eventually(lambda: (p := stats(daemon)) and "Nhật Bản" in texts(p, "bdi") and p)
    said = texts(page, "bdi")
    assert {"/tin", "/%3Cscript%3Ealert(1)", "/a\ufffdgpj.exe", "news.example", "x.example", "Việt Nam", "Firefox"} <= set(said)
    assert not page.all("script") and not page.all("link") and not [e for e in page.elements if "style" in e]
    assert not [e for e in page.elements if any(name.startswith("on") for name in e)]
    assert "IP Geolocation by DB-IP" in texts(page, "a")
    cells = texts(page, "td")
    date = today()
    assert page.all("html")[0]["lang"] == "vi"
    # Behind every picture the table: this day, this month, this year, this hour.
    heads = {e["text"] for e in page.all("th")}
    assert {f"{date:%d/%m/%Y}", f"Tháng {date:%m/%Y}", f"{date.year}"} <= heads
    assert "4" in cells and "3" in cells and "75,0 %" in cells
    english = stats(daemon, "&lang=en&metric=visits")
    assert {f"{date}", f"Month {date:%m/%Y}"} <= {e["text"] for e in english.all("th")}
    current = [e["text"] for e in english.all("a") if e.get("aria-current")]
    assert current == ["Visits"]
    assert daemon.counts()["hits"]["total"] == 4


def test_numbers_are_those_of_redis(world):
    daemon = world.thongked(site=PUBLIC).start()
    numbers, date = daemon.numbers(), datetime.datetime.now(ZONE).date()
    last_month = date.replace(day=1) - datetime.timedelta(days=1)
    client = numbers.client
    client.hset(numbers.key("a", f"hits:{last_month.year}"), f"{last_month:%m-%d}", 1508)
    client.hset(numbers.key("a", "hits"), mapping={f"{last_month:%Y-%m}": 31999, str(date.year - 3): 167386})
    client.hset(numbers.key("a", f"hours:{date}"), "9", 4321)
    # What an operator added is shown as well, also to a year without hits of our own.
    client.hset(numbers.key("a", "base"), mapping={f"hits {date.year - 3}": 14, f"hits {date.year - 5}": 290113})
    page = stats(daemon)
    rows = [[cell["text"] for cell in row] for row in rows_of(page)]
    assert [f"{last_month:%d/%m/%Y}", "1.508", "0", "0"] in rows
    assert [str(date.year - 3), "167.400", "0", "0"] in rows and [str(date.year - 2), "0", "0", "0"] in rows
    assert [str(date.year - 5), "290.113", "0", "0"] in rows and str(date.year - 6) not in {row[0]["text"] for row in rows_of(page)}
    assert ["09:00", "4.321", "0"] in rows
    if last_month.year == date.year:
        assert [f"Tháng {last_month:%m/%Y}", "31.999", "0", "0"] in rows


def rows_of(page):
    rows = []
    for element in page.elements:
        if element["tag"] == "tr":
            rows.append([])
        elif element["tag"] in ("th", "td"):
            rows[-1].append(element)
    return rows


def test_only_where_it_is_published(world):
    daemon = world.thongked(site=PUBLIC).start()
    for target, status in [("/stats?s=a", 200), ("/stats?s=b", 404), ("/stats?s=nobody", 404), ("/stats", 404),
                           ("/stats?s=a&lang=fr", 400)]:
        assert daemon.get(target).status == status
    answer, head = daemon.get("/stats?s=a"), daemon.request("HEAD", "/stats?s=a")
    assert (head.status, head.body) == (200, b"")
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=5"
    policy = answer.headers["Content-Security-Policy"]
    style = Page(answer.body.decode()).all("style")[0]["text"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; ")
    assert "frame-ancestors 'self' http://a.example:*" in policy
    assert 'href="stats?s=a&amp;lang=vi"' in daemon.get("/frame.html?s=a&u=/").body.decode()
    assert "stats" not in daemon.get("/frame.html?s=b&u=/").body.decode()


def test_no_worker_waits_for_redis(world):
    daemon = world.thongked("workers = 1", site=PUBLIC).start()
    daemon.hit()
    eventually(lambda: daemon.numbers().total("a") == 1)
    pid, answers = daemon.numbers().pid(), []
    os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        asking = threading.Thread(target=lambda: answers.append((daemon.get("/stats?s=a"), time.monotonic() - start)))
        asking.start()
        for number in range(2, 12):
            assert daemon.hit()["hits"]["today"] == number
        assert not answers or answers[0][1] < 0.5
        asking.join()
    finally:
        os.kill(pid, signal.SIGCONT)
    answer, took = answers[0]
    assert answer.status == 200 and took < 5
    page = Page(answer.body.decode())
    assert not page.all("svg") and "Hiện chưa lấy được số liệu chi tiết" in answer.body.decode()
    eventually(lambda: stats(daemon).all("svg"))
    daemon.stop()


def test_many_ask_and_redis_is_asked_once(world):
    daemon = world.thongked("workers = 1", site=PUBLIC).start()
    daemon.hit()
    stats(daemon)

    def asked():
        return int(daemon.numbers().client.info("commandstats").get("cmdstat_hgetall", {"calls": 0})["calls"])
    before = asked()
    bodies = {re.sub(rb"<footer>.*", b"", daemon.get("/stats?s=a").body, flags=re.DOTALL) for _ in range(50)}
    assert asked() - before < 2 * 20
    assert len(bodies) <= 3
