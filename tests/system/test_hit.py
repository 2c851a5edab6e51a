# SPDX-License-Identifier: BSD-2-Clause
"""A hit over HTTP: counted once, answered in every form, found in Redis in every period."""
import datetime
import json
import re
import signal

import pytest

from world import BROWSER_LINES, HEAD, PERIODS, ZONE, eventually, own_address, today


def test_hit_is_counted_once_in_every_form(daemon):
    date = today()
    answer = daemon.hit("/tin-tuc")
    assert answer["site"] == "a"
    assert answer["counted"] is True
    assert answer["date"] == str(date)
    assert answer["page"]["path"] == "/tin-tuc"
    assert answer["age"] == 0
    assert list(answer["hits"]) == PERIODS
    ones = {"today", "week", "month", "year", "total"}
    assert answer["hits"] == {period: int(period in ones) for period in PERIODS}
    moment = datetime.datetime.fromisoformat(answer["time"])
    assert moment.utcoffset() == datetime.timedelta(hours=7)
    assert abs(moment - datetime.datetime.now(ZONE)) < datetime.timedelta(seconds=30)

    text = daemon.get("/counts.txt?s=a")
    assert text.headers["Content-Type"].lower() == "text/plain; charset=utf-8"
    assert text.body.decode() == ("Thống kê truy cập\nHôm nay : 1\nHôm qua : 0\n"
                                  f"Tháng {date:%m} : 1\nNăm {date:%Y} : 1\n")
    assert daemon.get("/counts.txt?s=a&title=0").body.decode().startswith("Hôm nay : 1\n")
    read = daemon.counts()
    assert read["hits"] == answer["hits"]
    assert read["rows"][0] == {"row": "today", "label": "Hôm nay", "value": 1, "text": "1"}
    assert [row["row"] for row in read["rows"]] == ["today", "yesterday", "month", "year"]


def test_hit_is_in_redis_by_every_period(daemon):
    before = datetime.datetime.now(ZONE)
    daemon.hit("/x/index.html")
    daemon.hit("/x/")
    daemon.hit("/y?id=3")
    numbers = daemon.numbers()
    eventually(lambda: numbers.total("a") == 3)
    date = before.date()
    week = date.isocalendar()
    assert numbers.sums("a") == {f"{week[0]}-W{week[1]:02d}": 3, f"{date:%Y-%m}": 3, f"{date:%Y}": 3, "all": 3}
    assert numbers.day("a", date) == 3
    assert sum(numbers.hours("a", date).values()) == 3
    assert before.hour in numbers.hours("a", date)
    for tail in ["pages", f"pages:{date}", f"pages:{date:%Y-%m}"]:
        assert numbers.table("a", tail) == {"/x": 2, "/y": 1}


def test_english_and_chosen_rows(world):
    daemon = world.thongked(site='site "a" { hosts = {"a.example"} language = "en" rows = {"total", "year"} }').start()
    daemon.hits(1508)
    assert daemon.get("/counts.txt?s=a").body.decode().splitlines()[1:] == ["Total : 1,508", f"Year {today():%Y} : 1,508"]
    vi = daemon.get("/counts.json?s=a&lang=vi&rows=total").json
    assert vi["rows"] == [{"row": "total", "label": "Tổng", "value": 1508, "text": "1.508"}]
    assert daemon.get("/counts.json?s=a&rows=nonsense").status == 400


def test_quiet_hit_is_counted_without_a_body(daemon):
    answer = daemon.get("/hit?s=a&u=/&q=1")
    assert (answer.status, answer.body) == (204, b"")
    assert daemon.counts()["hits"]["today"] == 1


def test_gif_is_an_image_of_43_bytes_and_counts(daemon):
    answer = daemon.get("/hit.gif?s=a&u=/")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "image/gif"
    assert len(answer.body) == 43
    assert answer.body.startswith(b"GIF89a\x01\x00\x01\x00") and answer.body.endswith(b";")
    assert "no-store" in answer.headers["Cache-Control"]
    assert daemon.counts()["hits"]["today"] == 1


def test_post_as_the_script_sends_it(daemon):
    body = "u=https%3A%2F%2Fa.example%2Ftin%3Fid%3D3%23x&r=&w=1920&l=vi&n=1-2"
    answer = daemon.request("POST", "/hit", body, {"Content-Type": "text/plain;charset=UTF-8", "Origin": "https://a.example"})
    assert answer.status == 200
    assert answer.json["counted"] is True
    assert answer.json["page"]["path"] == "/tin"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    form = daemon.request("POST", "/hit", "s=a&u=/", {"Content-Type": "application/x-www-form-urlencoded"})
    assert form.json["hits"]["today"] == 2
    assert daemon.request("POST", "/hit", '{"s":"a"}', {"Content-Type": "application/json"}).status == 415
    assert daemon.counts()["hits"]["today"] == 2


def test_site_is_found_by_origin_then_referer_then_url(world):
    daemon = world.thongked(site='site "a" { hosts = {"a.example"} }\nsite "b" { hosts = {"*.b.example"} }').start()
    assert daemon.get("/hit", Origin="https://A.example:8443").json["site"] == "a"
    assert daemon.get("/hit", Origin="https://a.example", Referer="https://a.example/p").json["site"] == "a"
    # The first that is there decides, and what the others say must not be another site's.
    assert daemon.get("/hit?u=https://x.b.example/", Referer="https://a.example/p/q").status == 403
    answer = daemon.get("/hit?u=https://x.b.example/p", Origin="null").json
    assert (answer["site"], answer["page"]["path"]) == ("b", "/p")
    assert daemon.get("/hit", Referer="https://a.example/p/q").json["page"]["path"] == "/p/q"
    assert daemon.get("/hit?s=a", Referer="https://a.example/").json["page"] is None


def test_reading_head_and_options_count_nothing(daemon):
    daemon.hit()
    head = daemon.request("HEAD", "/hit?s=a&u=/")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"].startswith("application/json")
    options = daemon.request("OPTIONS", "/hit", headers={"Origin": "https://a.example", "Access-Control-Request-Method": "POST"})
    assert options.status in (200, 204)
    assert options.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in options.headers["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Credentials" not in options.headers
    for target in ["/counts.json?s=a", "/counts.txt?s=a", "/thongke.js"]:
        assert daemon.get(target).status == 200
    assert daemon.counts()["hits"]["today"] == 1


def test_unknown_site_or_path_creates_nothing(daemon):
    daemon.hit()
    numbers = daemon.numbers()
    eventually(lambda: numbers.total("a") == 1)
    before = sorted(numbers.client.keys("*"))
    for method, target in [("GET", "/hit?s=nobody&u=/"), ("GET", "/hit.gif?s=nobody"), ("GET", "/counts.json?s=nobody"),
                           ("POST", "/hit?s=nobody"), ("GET", "/hit?u=https://nobody.example/"), ("GET", "/hit"),
                           ("GET", "/hit?s=%61%00"), ("GET", "/nothing"), ("GET", "/hit/")]:
        answer = daemon.request(method, target)
        assert answer.status == (400 if "%00" in target else 404), target
        assert b"nobody" not in answer.body
        assert answer.headers["Connection"] == "close"
    # What comes after in the same journal has arrived: nothing of the above will.
    daemon.hit()
    eventually(lambda: numbers.total("a") == 2)
    assert sorted(numbers.client.keys("*")) == before


def test_same_nonce_counts_once(daemon):
    assert daemon.hit(n="abc")["counted"] is True
    again = daemon.hit(n="abc")
    assert (again["counted"], again["reason"]) == (False, "duplicate")
    assert again["hits"]["today"] == 1
    assert daemon.get("/hit?s=a&u=/&n=abc&q=1").status == 204
    assert len(daemon.get("/hit.gif?s=a&u=/&n=abc").body) == 43
    assert daemon.hit(n="abd")["hits"]["today"] == 2
    eventually(lambda: daemon.numbers().total("a") == 2)


def test_too_many_hits_of_one_network_are_not_counted(world):
    address = own_address()
    if not address:
        pytest.skip("this machine has only loopback addresses, which are never limited")
    daemon = world.thongked("limits { hits_per_minute = 2 }\n")
    with open(daemon.conf, "a") as f:
        f.write(f'listen += {{"{address}:{daemon.port}"}}\n')
    daemon.start()

    def hit(target="/hit?s=a&u=/&n=abc"):
        return daemon.request("GET", target, address=address)
    assert [hit(f"/hit?s=a&u=/&n={n}").json["counted"] for n in range(2)] == [True, True]
    refused = hit()
    assert (refused.status, refused.json["counted"], refused.json["reason"]) == (200, False, "rate")
    assert refused.json["hits"]["today"] == 2
    quiet, image = hit("/hit?s=a&u=/&q=1"), hit("/hit.gif?s=a&u=/")
    assert (quiet.status, quiet.body) == (204, b"")
    assert (image.status, len(image.body)) == (200, 43)
    # Ten times two is twenty, five of them are sent; one more fits every 3 s.
    answers = []
    while len(answers) < 100 and (not answers or answers[-1].status == 200):
        answers.append(hit())
    assert len(answers) > 15
    last = answers.pop()
    assert all(answer.json["reason"] == "rate" for answer in answers)
    assert (last.status, last.body, last.headers["Retry-After"]) == (429, b"Too Many Requests", "60")
    assert last.headers["Connection"] == "close" and last.headers["Access-Control-Allow-Origin"] == "*"
    metrics = daemon.admin("/metrics").body.decode()
    assert f'thongke_hits_total{{outcome="rate"}} {3 + len(answers) + 1}\n' in metrics
    assert daemon.metric("thongke_answers_total") == 5 + len(answers) + 1
    # Reading is not limited, nor is anybody on loopback.
    assert daemon.request("GET", "/counts.json?s=a", address=address).json["hits"]["today"] == 2
    assert daemon.request("HEAD", "/hit?s=a&u=/", address=address).status == 200
    assert daemon.hits(30)["hits"]["today"] == 32
    # A reload lifts the limit, and the nonce of the refused hits was never used up.
    with open(daemon.conf, "a") as f:
        f.write("limits { hits_per_minute = 0 }\n")
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in daemon.log())
    assert "reload_incomplete" not in daemon.log()
    eventually(lambda: (answer := hit()).status == 200 and answer.json["counted"])
    assert hit().json["reason"] == "duplicate"
    eventually(lambda: daemon.numbers().total("a") == 33)
    daemon.stop()


def test_pipelined_requests_are_answered_in_order(daemon):
    answer = daemon.raw(b"".join(b"GET /hit?s=a&u=/p%d HTTP/1.1\r\n" % i + HEAD + b"\r\n" for i in range(50)))
    bodies = [json.loads(body) for body in re.findall(rb"{.*}", answer)]
    assert [body["page"]["path"] for body in bodies] == [f"/p{i}" for i in range(50)]
    assert bodies[-1]["hits"]["total"] == 50
    eventually(lambda: daemon.numbers().total("a") == 50)


def test_nothing_of_a_refused_request_is_read_as_another(daemon):
    smuggled = b"GET /hit?s=a&u=/ HTTP/1.1\r\n" + HEAD + b"\r\n"
    for head, status in [(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"400"), (b"Content-Length: +5\r\n", b"400"),
                         (b"Transfer-Encoding: chunked\r\n", b"501"),
                         (b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", b"400"), (b"X : y\r\n", b"400"),
                         (b"Content-Length: 5000\r\n", b"413")]:
        answer = daemon.raw(b"POST /hit?s=a HTTP/1.1\r\n" + HEAD + head + b"\r\n" + smuggled)
        assert answer.startswith(b"HTTP/1.1 " + status), (head, answer)
        assert answer.count(b"HTTP/1.1") == 1
    assert daemon.raw(b"GET /hit?s=a HTTP/1.1\r\n" + BROWSER_LINES + b"\r\n" + smuggled).startswith(b"HTTP/1.1 400")
    assert daemon.counts()["hits"]["total"] == 0


def test_http_1_0_as_nginx_speaks_it(daemon):
    answer = daemon.raw(b"GET /hit?s=a&u=/ HTTP/1.0\r\n" + BROWSER_LINES + b"\r\n")
    assert answer.split(b" ")[1] == b"200"
    assert b'"today":1' in answer
