# SPDX-License-Identifier: BSD-2-Clause
"""What operators change: every number is worked out here, from what the test itself put into Redis or counted."""
import datetime
import json
import os
import pty
import re
import subprocess

import pytest
import redis as redis_client

from cli import FAKETIME, Cli
from test_cli import NOW, PASSED, estimate, put
from test_rollback import copy, restart_with
from world import BROWSER, SITE, eventually, shard, today

needs_clock = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")


@pytest.fixture
def cli(world):
    redis = world.redis()
    put(redis)
    return Cli(world, redis)


@pytest.fixture
def then(cli):
    return cli.frozen(NOW)


def base(cli, site="a"):
    numbers = cli.redis.numbers()
    return {field: int(value) for field, value in numbers.client.hgetall(numbers.key(site, "base")).items()}


def adjust(cli, *words, **options):
    return cli.rows("adjust", "-s", "a", "--yes", *words, **options)


def everything(cli):
    """All of Redis but the audit list and the note that something changed."""
    client = redis_client.Redis(unix_socket_path=cli.redis.socket)
    return {key: client.dump(key) for key in client.keys() if not key.endswith((b":audit", b":meta"))}


# --- adjust ---

@needs_clock
def test_the_year_of_another_counter(then):
    """Redis counted 167386 in 2020 and 367386 in all; the old counter stood at 500000 for 2020."""
    [row] = adjust(then, "--year", "2020", "--set", "500000", "--why", "the old counter")
    assert row == {"metric": "hits", "period": "2020", "counted": 167386, "adjusted": 332614, "shown": 500000}
    assert base(then) == {"hits 2020": 332614, "hits all": 332614}
    [hits, _] = then.rows("-s", "a")
    passed = (31 + 29 + 31 + 30 + 19) * 86400 + PASSED
    by_the_end = estimate(167386, passed, 366 * 86400) + 332614
    assert hits.items() >= {"site": "a", "metric": "hits", "today": 653, "yesterday": 1508, "month": 20571, "year": 500000,
                            "adjusted_year": 332614, "total": 700000, "adjusted_total": 332614,
                            "year_estimate": by_the_end}.items()
    assert "adjusted_month" not in hits
    [year] = [row for row in then.rows("years", "-s", "a") if row["period"] == "2020"]
    assert year == {"period": "2020", "hits": 500000, "adjusted": 332614, "visits": 70000, "visitors": 60000,
                    "complete": False, "estimate": by_the_end}
    counts = then.json("counts", "-s", "a")
    assert counts["hits"]["year"] == 500000 and counts["hits"]["total"] == 700000 and counts["hits"]["today"] == 653
    assert counts["adjusted"] == {"hits": {"year": 332614, "total": 332614}}
    assert "Năm 2020 : 500.000\n" in then.run("counts", "-s", "a", "--table")
    assert then.redis.numbers().sums("a")["2020"] == 167386, "what was counted is not touched"


@needs_clock
def test_an_adjustment_is_part_of_every_period_around_it(then):
    adjust(then, "--day", "2020-05-19", "--add", "10")
    around = {"hits 2020-05-19": 10, "hits 2020-W21": 10, "hits 2020-05": 10, "hits 2020": 10, "hits all": 10}
    assert base(then) == around
    adjust(then, "--month", "2020-05", "--add", "100")
    adjust(then, "--total", "--add", "1000", "--metric", "visits")
    assert base(then) == {**around, "hits 2020-05": 110, "hits 2020": 110, "hits all": 110, "visits all": 1000}
    [yesterday] = then.rows("days", "-s", "a", "yesterday")
    assert (yesterday["hits"], yesterday["adjusted"], yesterday["visits"]) == (1518, 10, 800)
    [month] = then.rows("months", "-s", "a", "2020-05")
    assert (month["hits"], month["adjusted"]) == (20681, 110)
    [_, visitors] = then.rows("-s", "a")
    assert visitors["total"] == 60000
    assert then.rows("-s", "a", "--metric", "visits")[0]["total"] == 161000
    # 2020-W14 is March 30 to April 5: in no month, but in the year.
    adjust(then, "--week", "2020-W14", "--add", "7")
    assert {k: v for k, v in base(then).items() if v == 7 or k == "hits 2020"} == {"hits 2020-W14": 7, "hits 2020": 117}
    # 2019-W01 begins on December 31, 2018: in no year.
    adjust(then, "--week", "2019-W01", "--add", "5")
    assert base(then)["hits 2019-W01"] == 5 and "hits 2019" not in base(then) and base(then)["hits all"] == 122


@needs_clock
def test_set_counts_what_is_adjusted_already(then):
    adjust(then, "--month", "2020-05", "--set", "30000")
    [row] = adjust(then, "--year", "2020", "--set", "200000")
    assert row["adjusted"] == 200000 - 167386 and base(then)["hits 2020-05"] == 30000 - 20571
    [row] = adjust(then, "--year", "2020", "--set", "200000")
    assert row["adjusted"] == 200000 - 167386, "a second time it changes nothing"
    assert base(then)["hits all"] == 200000 - 167386
    [row] = adjust(then, "--day", "2020-05-20", "--set", "600")
    assert row == {"metric": "hits", "period": "2020-05-20", "counted": 653, "adjusted": -53, "shown": 600}
    assert then.rows("-s", "a")[0]["today"] == 600


@needs_clock
def test_clear_shows_what_was_counted(then):
    nothing = everything(then)
    adjust(then, "--year", "2020", "--set", "500000")
    adjust(then, "--month", "2020-05", "--add", "100")
    adjust(then, "--day", "2020-05-20", "--add", "20")
    adjust(then, "--day", "2019-12-31", "--add", "3")  # in 2020-W01, as are the first days of 2020
    adjust(then, "--day", "2020-01-01", "--add", "4")
    adjust(then, "--total", "--add", "5000")
    assert base(then)["hits 2020-W01"] == 7
    [row] = adjust(then, "--month", "2020-05", "--clear")
    assert (row["adjusted"], row["shown"]) == (0, 20571)
    own = 500000 - 167386
    assert base(then) == {"hits 2020": own + 4, "hits 2020-01": 4, "hits 2020-01-01": 4, "hits 2020-W01": 7,
                          "hits 2019-12-31": 3, "hits 2019-12": 3, "hits 2019": 3, "hits all": own + 5007}
    adjust(then, "--year", "2020", "--clear")
    assert base(then) == {"hits 2020-W01": 3, "hits 2019-12-31": 3, "hits 2019-12": 3, "hits 2019": 3, "hits all": 5003}
    adjust(then, "--total", "--clear")
    assert everything(then) == nothing


@needs_clock
def test_a_page_is_adjusted_apart_from_its_site(then):
    numbers = then.redis.numbers()
    numbers.client.zadd(numbers.key("a", "pages"), {"/tin": 900})
    numbers.client.zadd(numbers.key("a", "pages:2020-05"), {"/tin": 30})
    numbers.client.zadd(numbers.key("a", "pages:2020-02"), {"/tin": 12})
    [row] = adjust(then, "--page", "/tin/", "--total", "--set", "5000")
    assert row == {"metric": "hits", "period": "all", "page": "/tin", "counted": 900, "adjusted": 4100, "shown": 5000}
    [row] = adjust(then, "--page", "https://a.example/tin", "--year", "2020", "--set", "50")
    assert row["counted"] == 42 and row["adjusted"] == 8
    assert base(then) == {"hits 2020 /tin": 8, "hits all /tin": 4108}
    assert then.rows("-s", "a")[0]["total"] == 367386
    adjust(then, "--total", "--clear")
    assert base(then) == {"hits 2020 /tin": 8, "hits all /tin": 4108}
    for words in (["--metric", "visitors", "--total"], ["--metric", "visits", "--month", "2020-05"], ["--week", "2020-W20"]):
        then.run("adjust", "-s", "a", "--yes", "--page", "/tin", "--add", "1", *words, code=2)


@needs_clock
@pytest.mark.parametrize("words, code", [
    ([], 2), (["--year", "2020"], 2), (["--set", "5"], 2), (["--year", "2020", "--month", "2020-05", "--set", "5"], 2),
    (["--year", "2020-05", "--set", "5"], 2), (["--day", "2020-02-30", "--set", "5"], 2),
    (["--year", "2021", "--set", "5"], 2), (["--year", "2020", "--set", "5", "--add", "5"], 2),
    (["--year", "2020", "--set", "167.386"], 2), (["--year", "2020", "--set", "-1"], 2),
    (["--year", "2020", "--set", "1000000000000001"], 2), (["--year", "2020", "--add", "-167387"], 1),
    (["--total", "--page", "no page", "--set", "1"], 2), (["-s", "nobody", "--total", "--set", "1"], 2)])
def test_what_is_refused_changes_nothing(then, words, code):
    before = everything(then)
    then.run("adjust", "-s", "a", "--yes", *words, code=code)
    assert everything(then) == before and then.rows("audit") == []


# --- questions and the list ---

@needs_clock
def test_nothing_changes_without_an_answer(then):
    before = everything(then)
    words = ["adjust", "-s", "a", "--year", "2020", "--set", "500000"]
    then.run(*words, code=2)
    assert "--yes" in then.said
    assert then.rows(*words, "--dry-run")[0]["shown"] == 500000
    assert everything(then) == before and then.rows("audit") == []


def answer(cli, words, text):
    """Exit code and everything said, with a person at the terminal who types `text`."""
    master, slave = pty.openpty()
    process = subprocess.Popen(cli.command(*words), env=cli.environment({"TERM": "xterm"}), stdin=slave, stdout=slave,
                               stderr=slave)
    os.close(slave)
    os.write(master, text.encode())
    said = b""
    try:
        while data := os.read(master, 65536):
            said += data
    except OSError:
        pass
    os.close(master)
    return process.wait(timeout=30), said.decode()


@needs_clock
def test_a_question_is_asked_on_a_terminal(then):
    words = ["adjust", "-s", "a", "--year", "2020", "--set", "500000"]
    code, said = answer(then, words, "n\n")
    assert code == 1 and "hits of 2020 of a set to 500000? [y/N]" in said
    assert base(then) == {}
    code, said = answer(then, words, "\x04")
    assert code == 1 and base(then) == {}
    code, said = answer(then, words, "y\n")
    assert code == 0 and base(then)["hits 2020"] == 332614


@needs_clock
def test_the_list_of_changes(then):
    adjust(then, "--year", "2020", "--set", "500000", "--why", 'the "old" counter\n')
    adjust(then, "--total", "--clear", "--metric", "visits")
    first, second = then.rows("audit")
    assert re.fullmatch(r"2020-05-20T07:32:0\dZ", first["time"])
    assert {**first, "time": "", "host": ""} == {
        "time": "", "user": "root" if os.getuid() == 0 else first["user"], "host": "", "command": "adjust", "site": "a",
        "what": "hits of 2020 of a set to 500000", "why": 'the "old" counter\n'}
    assert first["host"] == os.uname().nodename
    assert second["what"] == "visits of all of a as counted" and "why" not in second
    assert then.rows("audit", "--limit", "1") == [second]
    assert then.rows("audit", "-s", "b") == [] and then.rows("audit", "2020-05-19") == []
    assert len(then.rows("audit", "today")) == 2
    client = then.redis.numbers().client
    client.rpush("thongke:audit", *["{}"] * 10000)
    adjust(then, "--total", "--clear")
    assert client.llen("thongke:audit") == 10000
    assert json.loads(client.lindex("thongke:audit", -1))["command"] == "adjust"


def test_nothing_changes_where_redis_refuses(cli):
    client = cli.redis.numbers().client
    client.set("thongke:audit", "somebody else's")
    before = everything(cli)
    cli.run("adjust", "-s", "a", "--total", "--set", "5", "--yes", code=5)
    assert everything(cli) == before, "no change without a line on the list"


# --- the daemon shows it ---

def test_the_counter_shows_it_within_a_second_or_two(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    cli = Cli(world, redis)
    daemon.hits(20, page="/tin")
    eventually(lambda: redis.numbers().total("a") == 20)
    year = today().strftime("%Y")
    adjust(cli, "--year", year, "--set", "167386")
    adjust(cli, "--page", "/tin", "--total", "--set", "5000")
    adjust(cli, "--total", "--metric", "visits", "--add", "7")

    def shown():
        counts = daemon.hit("/tin")
        return counts["hits"]["year"] >= 167387 and counts["page"]["hits"]["total"] >= 5001 and counts
    counts = eventually(shown, what="while hits come in as well")
    extra = counts["hits"]["today"] - 20
    assert counts["hits"]["year"] == counts["hits"]["total"] == 167386 + extra
    assert counts["page"]["hits"]["total"] == 5000 + extra and counts["page"]["hits"]["today"] == 20 + extra
    eventually(lambda: daemon.counts()["visits"]["total"] == daemon.counts()["visits"]["today"] + 7)
    daemon.stop()
    redis.stop()
    daemon.start()
    assert daemon.counts()["hits"]["total"] == 167386 + extra, "without Redis, from the snapshot"
    redis.start()
    total = daemon.hit("/tin")["hits"]["total"]
    adjust(cli, "--year", year, "--clear")
    eventually(lambda: daemon.counts()["hits"]["total"] == 21 + extra)
    assert daemon.metric("thongke_gap_hits_total") == 0 and total == 167387 + extra


# --- forget ---

TWO = SITE + 'site "b" { hosts = {"b.example"} }\n'


def keys(redis, site):
    return sorted(redis.numbers().client.scan_iter(f"thongke:{{{shard(site)}}}:{site}:*"))


def settled(daemon, redis, total, site="a"):
    eventually(lambda: redis.numbers().total(site) == total and daemon.counts(site)["hits"]["total"] == total,
               seconds=30, what=f"{total} in Redis and shown")


def no_gap(daemon):
    return daemon.metric("thongke_gap_hits_total") == 0 and daemon.metric("thongke_resets_total") == 0


@pytest.fixture
def counting(world):
    """A daemon that counted 20 hits of "a" and 5 of "b", and a command line beside it."""
    redis = world.redis()
    daemon = world.thongked(redis=redis, site=TWO).start()
    daemon.hits(20, page="/tin")
    daemon.hits(5, site="b")
    settled(daemon, redis, 20)
    settled(daemon, redis, 5, "b")
    return daemon, redis, Cli(world, redis)


def forget(cli, *words, **options):
    return cli.rows("forget", "--yes", *words, **options)


def test_a_forgotten_site_begins_at_zero(counting):
    daemon, redis, cli = counting
    adjust(cli, "--total", "--add", "1000")
    before = keys(redis, "a")
    [row] = forget(cli, "-s", "a", "--dry-run")
    assert row == {"what": "forget everything of a", "keys": len(before), "hits": 20}
    assert keys(redis, "a") == before and len(before) > 10
    assert forget(cli, "-s", "a")[0]["keys"] == len(before)
    assert keys(redis, "a") == []
    settled(daemon, redis, 0)
    daemon.hits(3, page="/tin")
    settled(daemon, redis, 3)
    eventually(lambda: daemon.counts()["visits"]["total"] == 1)
    assert daemon.hit("/tin")["page"]["hits"]["total"] == 4
    settled(daemon, redis, 4)
    assert daemon.counts("b")["hits"]["total"] == 5 and no_gap(daemon)
    [_, line] = cli.rows("audit")
    assert (line["command"], line["site"], line["what"]) == ("forget", "a", "forget everything of a")
    assert cli.rows("audit", "-s", "a")[1] == line


def test_hits_while_it_is_forgotten_count_or_are_gone_but_never_twice(counting):
    daemon, redis, cli = counting
    for _ in range(10):
        daemon.hits(30)
        forget(cli, "-s", "a")
        daemon.hits(10)
        eventually(lambda: daemon.metric("thongke_journal_lag_bytes") == 0 and daemon.metric("thongke_settling") == 0)
        settled(daemon, redis, 10)
    assert no_gap(daemon)


def test_the_backlog_of_another_daemon_brings_nothing_back(world, counting):
    daemon, redis, cli = counting
    other = world.thongked(redis=redis, site=TWO, name="other").start()
    redis.stop()
    other.hits(7)
    other.hits(2, site="b")
    other.kill()
    redis.start()
    settled(daemon, redis, 20)
    forget(cli, "-s", "a")
    settled(daemon, redis, 0)
    other.start()
    settled(other, redis, 7, "b")
    settled(other, redis, 0)
    other.hits(4)
    settled(daemon, redis, 4)
    settled(other, redis, 4)
    assert no_gap(daemon) and no_gap(other)


@pytest.mark.parametrize("restart", [False, True])
def test_a_rollback_brings_nothing_back(world, counting, restart):
    """Redis' files of before are put back: what the daemon still has in its journal, and what they hold, stays away."""
    daemon, redis, cli = counting
    redis.stop()
    copy(redis.dir, world.path("backup"))
    redis.start()
    daemon.hits(30)
    settled(daemon, redis, 50)
    forget(cli, "-s", "a")
    daemon.hits(6)
    settled(daemon, redis, 6)
    if restart:
        daemon.stop()
    restart_with(redis, world.path("backup"))
    if restart:
        daemon.start()
    settled(daemon, redis, 6)
    settled(daemon, redis, 5, "b")
    assert "forgotten_again" in daemon.log() and daemon.metric("thongke_gap_hits_total") == 0
    assert redis.numbers().client.hkeys(f"thongke:{{{shard('a')}}}:forgotten") in (["a", ":"], [":", "a"])


def test_a_flushed_redis_is_not_filled_with_what_was_forgotten(counting):
    daemon, redis, cli = counting
    forget(cli, "-s", "a")
    daemon.hits(6)
    settled(daemon, redis, 6)
    redis.numbers().client.flushall()
    settled(daemon, redis, 6)
    settled(daemon, redis, 5, "b")


def fill(redis, site="a"):
    """Two months of numbers in the documented keys: 10 hits a day, a page and a country each."""
    numbers = redis.numbers()
    client = numbers.client
    for month, days in (("2020-04", 30), ("2020-05", 20)):
        for day in range(1, days + 1):
            date = f"{month}-{day:02d}"
            week = "{}-W{:02d}".format(*datetime.date.fromisoformat(date).isocalendar()[:2])
            for metric, count in (("hits", 10), ("visits", 4), ("visitors", 3), ("bots", 2)):
                client.hset(numbers.key(site, f"{metric}:2020"), date[5:], count)
                for field in (week, month, "2020", "all"):
                    client.hincrby(numbers.key(site, metric), field, count)
            client.hset(numbers.key(site, f"hours:{date}"), "07", 10)
            client.pfadd(numbers.key(site, f"unique:{date}"), "x")
            for tail in (f"pages:{date}", f"pages:{month}", "pages"):
                client.zincrby(numbers.key(site, tail), 9, "/always")
                client.zincrby(numbers.key(site, tail), 1, f"/{month}")
            for tail in (f"countries:{date}", f"countries:{month}"):
                client.zincrby(numbers.key(site, tail), 10, "VN")
            for tail in (f"pagevisits:{date}", "pagevisits"):
                client.zincrby(numbers.key(site, tail), 4, "/always")


@pytest.fixture
def filled(world):
    redis = world.redis()
    fill(redis)
    return Cli(world, redis).frozen(NOW)


def table(cli, tail):
    numbers = cli.redis.numbers()
    return {member: int(score) for member, score in numbers.client.zrange(numbers.key("a", tail), 0, -1, withscores=True)}


@needs_clock
def test_a_month_is_taken_out_of_everything(filled):
    adjust(filled, "--day", "2020-04-30", "--add", "7")
    adjust(filled, "--year", "2020", "--add", "100")
    [row] = forget(filled, "-s", "a", "--period", "2020-04")
    assert row == {"what": "forget 2020-04 of a", "keys": 30, "hits": 300}
    numbers = filled.redis.numbers()
    sums = {k: v for k, v in numbers.sums("a").items() if v}
    # April 30 is a Thursday: of week 18 the days from May 1 on are left.
    assert sums == {"2020-05": 200, "2020": 200, "all": 200, "2020-W18": 30, "2020-W19": 70, "2020-W20": 70, "2020-W21": 30}
    assert len(numbers.client.hgetall(numbers.key("a", "hits:2020"))) == 20
    assert int(numbers.client.hget(numbers.key("a", "visitors"), "all")) == 60
    assert not [key for key in keys(filled.redis, "a") if "2020-04" in key]
    assert table(filled, "pages") == {"/always": 180, "/2020-05": 20}
    assert table(filled, "pagevisits") == {"/always": 80}
    assert base(filled) == {"hits 2020": 100, "hits all": 100}
    assert {k for k in numbers.client.hkeys(f"thongke:{{{shard('a')}}}:forgotten")} == {":", "a 2020-04"}


@needs_clock
@pytest.mark.parametrize("period, days", [("2020-05-12", 1), ("2020-W18", 7), ("2020", 50)])
def test_days_weeks_and_years(filled, period, days):
    left = 50 - days
    assert forget(filled, "-s", "a", "--period", period)[0]["hits"] == days * 10
    assert filled.redis.numbers().sums("a")["all"] == left * 10
    assert sum(table(filled, "pages").values()) == left * 10
    assert sum(sum(table(filled, f"countries:2020-0{m}").values()) for m in (4, 5)) == left * 10
    assert sum(table(filled, "pagevisits").values()) == left * 4
    shown = {row["period"]: row["hits"] for row in filled.rows("days", "-s", "a", "2020")}
    assert sum(shown.values()) == left * 10 and filled.rows("-s", "a")[0]["year"] == left * 10


@needs_clock
def test_a_page_leaves_the_tables_and_nothing_else(filled):
    adjust(filled, "--page", "/always", "--month", "2020-05", "--add", "5")
    assert forget(filled, "-s", "a", "--page", "/always")[0]["hits"] == 450
    assert table(filled, "pages") == {"/2020-04": 30, "/2020-05": 20}
    assert table(filled, "pagevisits") == {} and table(filled, "pages:2020-05-03") == {"/2020-05": 1}
    assert filled.redis.numbers().total("a") == 500 and base(filled) == {}


def test_hits_of_a_forgotten_page_or_period_or_visitor_that_are_still_on_their_way(world, counting):
    daemon, redis, cli = counting
    other = world.thongked(redis=redis, site=TWO, name="other").start()
    redis.stop()
    other.hits(7, page="/tin")
    other.hits(2, page="/khac")
    other.hits(3, page="/b", site="b")
    other.kill()
    redis.start()
    settled(daemon, redis, 20)
    forget(cli, "-s", "a", "--page", "/tin")
    forget(cli, "-s", "a", "--visitor-data")
    forget(cli, "-s", "b", "--period", today().strftime("%Y-%m"))
    settled(daemon, redis, 0, "b")
    other.start()
    settled(other, redis, 29)
    settled(other, redis, 0, "b")
    settled(daemon, redis, 0, "b")
    numbers = redis.numbers()
    assert numbers.client.zrange(numbers.key("a", "pages"), 0, -1, withscores=True) == [("/khac", 2.0)]
    assert not numbers.client.exists(numbers.key("a", "seen"))
    eventually(lambda: other.get("/counts.json?s=a&u=/tin").json["page"]["hits"]["total"] == 0)
    assert no_gap(daemon) and no_gap(other)


def test_who_visitors_were(counting):
    daemon, redis, cli = counting
    client = redis.numbers().client
    salts = {key: redis_client.Redis(unix_socket_path=redis.socket).get(key) for key in client.keys("thongke:salt:*")}
    assert len(salts) == 4
    forget(cli, "-s", "a", "--visitor-data")
    assert not [key for key in keys(redis, "a") if key.endswith(":seen") or ":unique:" in key]
    assert [key for key in keys(redis, "b") if key.endswith(":seen") or ":unique:" in key]
    settled(daemon, redis, 20)
    forget(cli, "--all", "--visitor-data")
    assert not client.keys("*:seen") and not client.keys("*:unique:*")
    settled(daemon, redis, 20)
    settled(daemon, redis, 5, "b")
    raw = redis_client.Redis(unix_socket_path=redis.socket)
    assert all(raw.get(key) not in (None, salt) for key, salt in salts.items())
    assert no_gap(daemon)


def test_everything(counting):
    daemon, redis, cli = counting
    client = redis.numbers().client
    client.hset("thongke:sites", "gone", "")
    client.hset(f"thongke:{{{shard('gone')}}}:gone:hits", "all", 7)
    client.set("another program's", "key")
    forget(cli, "--all", "--why", "afresh")
    settled(daemon, redis, 0)
    settled(daemon, redis, 0, "b")
    left = {key for key in client.keys() if not key.endswith((":streams", ":forgotten")) and ":salt:" not in key}
    assert left == {"another program's", "thongke:audit", "thongke:meta", "thongke:sites"}
    assert sorted(client.hkeys("thongke:sites")) == ["a", "b"]
    daemon.hits(3)
    settled(daemon, redis, 3)
    assert no_gap(daemon)
    assert cli.rows("audit")[-1]["why"] == "afresh" and "site" not in cli.rows("audit")[-1]


def test_a_log_can_be_imported_again_into_a_forgotten_site(world, cli):
    path = world.path("access.log")
    agent = BROWSER["User-Agent"]
    with open(path, "w") as log:
        log.writelines(f'192.0.2.{n} - - [20/May/2020:14:00:0{n} +0700] "GET /tin HTTP/1.1" 200 5 "-" "{agent}"\n'
                       for n in range(5))
    for _ in range(2):
        forget(cli, "-s", "a")
        assert cli.rows("import", "-s", "a", path)[0]["counted"] == 5
        assert cli.rows("import", "-s", "a", path)[0]["counted"] == 0
        assert cli.redis.numbers().total("a") == 5
    forget(cli, "-s", "a", "--visitor-data")
    assert cli.rows("import", "-s", "a", path)[0]["counted"] == 0


def test_a_site_that_is_configured_no_more(cli):
    client = cli.redis.numbers().client
    client.hset("thongke:sites", "gone", "")
    client.hset(f"thongke:{{{shard('gone')}}}:gone:hits", "all", 7)
    assert forget(cli, "-s", "gone")[0] == {"what": "forget everything of gone", "keys": 1, "hits": 7}
    assert keys(cli.redis, "gone") == [] and client.hkeys("thongke:sites") == []
    cli.run("forget", "-s", "gone", "--yes", code=1)


@pytest.mark.parametrize("words, code", [
    ([], 2), (["-s", "a", "--page", "/a", "--period", "2020"], 2), (["-s", "a", "--all"], 2),
    (["-s", "a", "--period", "soon"], 2), (["-s", "a", "--period", "all"], 2), (["-s", "a", "--period", "9999"], 2),
    (["-s", "A*"], 1), (["-s", "nobody"], 1), (["-s", "a", "--page", "no page"], 2)])
def test_what_cannot_be_forgotten(cli, words, code):
    before = everything(cli)
    cli.run("forget", "--yes", *words, code=code)
    assert everything(cli) == before


def test_nothing_is_forgotten_where_the_mark_cannot_be_set(cli):
    cli.redis.numbers().client.set(f"thongke:{{{shard('a')}}}:forgotten", "somebody else's")
    before = everything(cli)
    cli.run("forget", "--yes", "-s", "a", code=5)
    assert everything(cli) == before
