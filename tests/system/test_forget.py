# SPDX-License-Identifier: BSD-2-Clause
"""What an operator makes a site forget is gone, and no journal, backlog or rollback brings it back."""
import pytest
import redis as redis_client

from changes import TWO, adjust, base, counting, everything, fill, keys, no_gap, settled
from cli import FAKETIME, Cli
from test_cli import NOW
from test_rollback import copy, restart_with
from world import BROWSER, eventually, shard, today

needs_clock = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")


@pytest.fixture
def cli(world):
    return Cli(world, world.redis())


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
