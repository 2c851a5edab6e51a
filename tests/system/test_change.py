# SPDX-License-Identifier: BSD-2-Clause
"""What operators change: every number is worked out here, from what the test itself put into Redis or counted."""
import json
import os
import pty
import re
import subprocess

import pytest

from changes import adjust, base, everything
from cli import FAKETIME, Cli
from test_cli import NOW, PASSED, estimate, put
from world import eventually, today

needs_clock = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")


@pytest.fixture
def cli(world):
    redis = world.redis()
    put(redis)
    return Cli(world, redis)


@pytest.fixture
def then(cli):
    return cli.frozen(NOW)


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
