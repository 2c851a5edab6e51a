# SPDX-License-Identifier: BSD-2-Clause
"""The numbers of pages: right in the first answer that shows them, and never what the daemon does not know."""
import json
import re
import signal
import socket
import struct
import time

import pytest

from pipe import Pipe, get, hit
from world import SITE, eventually, today

UNKNOWN = {"today": None, "total": None}
WAIT = 0.05  # seconds: the longest that an answer waits for a page's numbers
SURELY_WAITED = 0.04


def both(today_, total=None):
    return {"today": today_, "total": today_ if total is None else total}


def pages(daemon, *paths):
    """(path, hits, visits) of each, in the order of the answer."""
    answer = daemon.get("/counts.json?s=a" + "".join("&p=" + path for path in paths))
    assert answer.status == 200, answer.status
    return [(page["path"], page["hits"], page["visits"]) for page in answer.json["pages"]]


def timed(daemon, target):
    begin = time.monotonic()
    answer = daemon.get(target)
    assert answer.status in (200, 204)
    return time.monotonic() - begin, answer


def quickest(daemon, target, tries=5):
    """Of a few tries, for the machine has others to serve: who waits for something waits every time."""
    return min(timed(daemon, target)[0] for _ in range(tries))


@pytest.fixture
def redis(world):
    return world.redis()


@pytest.fixture
def frozen(world, redis):
    """A daemon that knows its site but no page, whose Redis answers nobody."""
    daemon = world.thongked(redis=redis, name="former").start()
    daemon.hits(3, page="/known")
    eventually(lambda: redis.numbers().table("a", "pages") == {"/known": 3})
    daemon.stop()
    daemon = world.thongked("workers = 1\n", redis=redis, name="frozen").start()
    redis.process.send_signal(signal.SIGSTOP)
    yield daemon
    redis.process.send_signal(signal.SIGCONT)


def test_numbers_are_right_in_the_first_answer_after_a_restart(world, redis):
    daemon = world.thongked(redis=redis).start()
    for number in range(1, 7):
        for page in ("/p", "/q", "/p"):
            answer = daemon.hit(page)
        assert answer["page"]["hits"] == both(2 * number)
        if number % 2:
            daemon.stop()
        else:
            eventually(lambda: redis.numbers().total("a") == 3 * number)
            daemon.kill()
        # The very first, as soon as anything is answered; one visit, of the page where it began.
        daemon.launch()
        seconds, answer = eventually(lambda: timed(daemon, "/counts.json?s=a&p=/p&p=/q"))
        assert answer.json["pages"][0]["hits"] != UNKNOWN or seconds > SURELY_WAITED
        asked = eventually(lambda: (now := pages(daemon, "/p", "/q"))[0][1] != UNKNOWN and now)
        assert asked == [("/p", both(2 * number), both(1)), ("/q", both(number), both(0))]
    assert daemon.hit("/q")["page"] == {"path": "/q", "hits": both(7), "visits": both(0)}
    assert daemon.hit("/new")["page"] == {"path": "/new", "hits": both(1), "visits": both(0)}


def test_numbers_contain_what_another_daemon_counted(world, redis):
    one, two = (world.thongked(redis=redis, name=name).start() for name in ("one", "two"))
    for _ in range(3):
        one.hit("/p")
    eventually(lambda: redis.numbers().table("a", "pages") == {"/p": 3})
    assert two.hit("/p")["page"]["hits"] == both(4)
    eventually(lambda: redis.numbers().table("a", "pages") == {"/p": 4})
    one.hit("/p")
    eventually(lambda: pages(two, "/p")[0][1] == both(5), seconds=5)
    eventually(lambda: pages(one, "/p")[0][1] == both(5), seconds=5)


def test_pages_that_are_asked_for_come_in_the_order_asked(daemon):
    for page in ("/a", "/tin-tức", "/a", "/x/index.html"):
        daemon.hit(page)
    asked = pages(daemon, "/x/", "/nobody", "/a", "/tin-t%E1%BB%A9c", "/a?utm=1", "https%3A%2F%2Fa.example%2Fx")
    assert [page[:2] for page in asked] == [("/x", both(1)), ("/nobody", both(0)), ("/a", both(2)), ("/tin-tức", both(1)),
                                            ("/a", both(2)), ("/x", both(1))]
    names = [f"/{n}" for n in range(50)]
    assert [page[0] for page in pages(daemon, *names)] == names
    assert [page[1:] for page in pages(daemon, *names)] == [(both(0), both(0))] * 50
    assert daemon.get("/counts.json?s=a" + "&p=/x" * 51).status == 400
    assert daemon.get("/counts.json?s=a&p=/x&p=").status == 400
    assert daemon.counts()["hits"]["total"] == 4
    assert "pages" not in daemon.counts()
    eventually(lambda: daemon.numbers().table("a", "pages") == {"/a": 2, "/tin-tức": 1, "/x": 1})


def test_a_site_may_keep_its_pages_numbers_to_itself(world):
    daemon = world.thongked(site='site "a" { hosts = {"a.example"} public = {"metrics"} }\n').start()
    assert daemon.hit("/p")["page"] == {"path": "/p"}
    assert "pages" not in daemon.get("/counts.json?s=a&p=/p").json


def test_frozen_redis_delays_an_answer_by_no_more_than_its_wait(frozen, redis):
    answer = frozen.get("/hit?s=a&u=/known").json
    assert (answer["counted"], answer["hits"]["total"]) == (True, 4)
    assert answer["page"] == {"path": "/known", "hits": UNKNOWN, "visits": UNKNOWN}
    fifty = "/counts.json?s=a" + "".join(f"&p=/{n}" for n in range(50))
    assert [page["hits"] for page in frozen.get(fifty).json["pages"]] == [UNKNOWN] * 50
    for target in ("/counts.json?s=a&u=/known", fifty):
        assert SURELY_WAITED < quickest(frozen, target, tries=3) < WAIT + 0.05, target
    # Nobody waits who asks for no page, nor who wants no numbers.
    for target in ("/counts.json?s=a", "/counts.txt?s=a&u=/known", "/hit?s=a&u=/known&q=1", "/hit.gif?s=a&u=/known"):
        assert quickest(frozen, target) < SURELY_WAITED, target
    redis.process.send_signal(signal.SIGCONT)
    eventually(lambda: pages(frozen, "/known")[0][1] == both(14))
    eventually(lambda: redis.numbers().table("a", "pages") == {"/known": 14})


def test_without_redis_nobody_waits_and_hits_count(world, redis):
    daemon = world.thongked(redis=redis).start()
    assert daemon.hit("/known")["page"]["hits"] == both(1)
    eventually(lambda: redis.numbers().total("a") == 1)
    redis.stop()
    eventually(lambda: daemon.metric("thongke_redis_connected") == 0)
    eventually(lambda: quickest(daemon, "/counts.json?s=a&p=/new") < SURELY_WAITED)
    for number in range(1, 20):
        answer = daemon.hit(f"/new{number}")
        assert answer["page"]["hits"] == UNKNOWN and answer["hits"]["total"] == 1 + number
    assert quickest(daemon, "/counts.json?s=a&p=/new21&p=/new22") < SURELY_WAITED
    # What was known rises by the daemon's own hits.
    assert [daemon.hit("/known")["page"]["hits"] for _ in range(2)] == [both(2), both(3)]
    redis.start()
    eventually(lambda: [page[1] for page in pages(daemon, "/new1", "/known")] == [both(1), both(3)])
    eventually(lambda: redis.numbers().total("a") == 22)


def test_only_new_pages_compete_for_the_rows_of_a_day(world, redis):
    daemon = world.thongked("limits { pages_per_day = 3 hits_per_minute = 0 }\n", redis=redis).start()
    for page in ("/1", "/2", "/3"):
        daemon.hit(page)
    numbers, date = redis.numbers(), today()
    eventually(lambda: numbers.table("a", f"pages:{date}") == {"/1": 1, "/2": 1, "/3": 1})
    for number in range(4, 24):
        daemon.hit(f"/{number}")
    daemon.hit("/1")
    eventually(lambda: numbers.table("a", f"pages:{date}") == {"/1": 2, "/2": 1, "/3": 1, "(other)": 20})
    # Of a month, and of all time, there are twenty times as many.
    for tail in ("pages", f"pages:{date:%Y-%m}"):
        assert len(numbers.table("a", tail)) == 23 and "(other)" not in numbers.table("a", tail)
    daemon.stop()
    daemon.start()
    asked = pages(daemon, "/1", "/3", "/4", "/never")
    assert [page[:2] for page in asked] == \
        [("/1", both(2)), ("/3", both(1)), ("/4", both(None, 1)), ("/never", both(None, 0))]
    assert daemon.hit("/3")["page"]["hits"] == both(2)
    for number in range(100, 200):
        daemon.hit(f"/{number}")
    eventually(lambda: numbers.total("a") == 125)
    for tail in ("pages", f"pages:{date:%Y-%m}"):
        table = numbers.table("a", tail)
        assert len(table) == 61 and sum(table.values()) == 125 and table["(other)"] == 100 - (60 - 23)
    assert numbers.table("a", f"pages:{date}") == {"/1": 2, "/2": 1, "/3": 2, "(other)": 120}
    assert daemon.counts()["hits"]["total"] == 125


def answer_paths(data):
    """What pipelined answers say of their page or, where they are text, their first word."""
    return [json.loads(body)["page"]["path"] if body.startswith(b"{") else body.split()[0].decode()
            for body in re.findall(rb"\r\n\r\n(.+?)(?=HTTP/1\.1 |$)", data, re.DOTALL)]


def test_answers_behind_one_that_waits_keep_their_order(frozen):
    text = get("/counts.txt?s=a&title=0&rows=year&lang=en")
    data = frozen.raw(text + hit(page="/new") + text + hit(page="/other") + hit(page="/new") + text)
    assert answer_paths(data) == ["Year", "/new", "Year", "/other", "/new", "Year"]
    # Hits in front of an error are answered, what comes behind it is not read.
    data = frozen.raw(hit(page="/x") + get("/nowhere") + hit(page="/y"))
    assert [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", data)] == [200, 404]
    assert frozen.counts()["hits"]["total"] == 7


def test_a_slow_redis_is_waited_for(world, redis):
    daemon = world.thongked(redis=redis).start()
    daemon.hit("/p")
    eventually(lambda: redis.numbers().table("a", "pages") == {"/p": 1})
    exact, tries = 0, 20
    other = world.thongked(redis=redis, name="other").start()
    sleeper = redis.numbers().client.connection_pool.get_connection("DEBUG")
    with Pipe(other) as pipe:
        for number in range(tries):
            sleeper.send_command("DEBUG", "SLEEP", "0.015")
            body = json.loads(next(pipe.ask([hit(page=f"/p{number}")]))[1])
            exact += body["page"]["hits"] == both(1)
            sleeper.read_response()
    # On a machine that has better things to do, some may come too late.
    assert exact > tries / 2


def test_clients_that_leave_while_their_answer_waits(frozen, redis):
    left = 40
    for number in range(left):
        s = socket.create_connection(("127.0.0.1", frozen.port), timeout=10)
        s.sendall(hit(page=f"/{number}") + hit(page="/known") + get("/counts.json?s=a&p=/x&p=/y"))
        eventually(lambda: frozen.metric("thongke_hits_total") == 2 * number + 2)
        if number % 2:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()
    assert frozen.counts()["hits"]["total"] == 3 + 2 * left
    redis.process.send_signal(signal.SIGCONT)
    eventually(lambda: redis.numbers().total("a") == 3 + 2 * left)
    eventually(lambda: [page[1] for page in pages(frozen, "/known", "/7")] == [both(3 + left), both(1)])
    eventually(lambda: frozen.metric("thongke_connections") <= 1)
    frozen.stop()


def test_a_reload_and_an_end_while_answers_wait(frozen, redis):
    with Pipe(frozen) as pipe:
        for number in range(5):
            pipe.send(hit(page=f"/{number}"))
            eventually(lambda: frozen.metric("thongke_hits_total") == number + 1)
            with open(frozen.conf, "a") as file:
                file.write(SITE.replace('"a"', f'"b{number}"').replace("a.example", f"b{number}.example"))
            frozen.process.send_signal(signal.SIGHUP)
            status, body = pipe.answer()
            assert (status, json.loads(body)["page"]["path"]) == (200, f"/{number}")
            eventually(lambda: frozen.log().count(" reloaded") == number + 1)
        pipe.send(hit(page="/last"))
        eventually(lambda: frozen.metric("thongke_hits_total") == 6)
        frozen.process.send_signal(signal.SIGTERM)
        assert pipe.answer()[0] == 200
    redis.process.send_signal(signal.SIGCONT)
    assert frozen.process.wait(timeout=20) == 0
    assert redis.numbers().total("a") == 9
