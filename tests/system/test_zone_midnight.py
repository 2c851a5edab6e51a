# SPDX-License-Identifier: BSD-2-Clause
"""Midnight, the end of a month and of a year, in the zones of the sites.

thongked runs under libfaketime, which shows it a wall clock that the test moves (its monotonic clock is real);
redis-server does not.
"""
import datetime

from world import eventually

SITES = """
site "hcm" { hosts = {"hcm.example"} }
site "utc" { hosts = {"utc.example"} timezone = "UTC" }
site "ny"  { hosts = {"ny.example"} timezone = "America/New_York" }
"""


def start(world, clock, redis):
    return world.thongked(redis=redis, site=SITES, **clock.options).start()


def row(answer, name):
    return {r["row"]: (r["label"], r["value"]) for r in answer["rows"]}[name]


def test_midnight_turns_today_into_yesterday(world, clock):
    clock.set("2020-05-20T23:59:00", "Asia/Ho_Chi_Minh")
    redis = world.redis()
    daemon = start(world, clock, redis)
    daemon.hits(3, "hcm")
    daemon.hits(2, "utc")
    answer = daemon.counts("hcm")
    assert answer["date"] == "2020-05-20"
    assert answer["time"].startswith("2020-05-20T23:59:") and answer["time"].endswith("+07:00")
    assert daemon.counts("utc")["date"] == "2020-05-20"

    clock.set("2020-05-21T00:00:01", "Asia/Ho_Chi_Minh")
    answer = daemon.counts("hcm")
    assert answer["date"] == "2020-05-21"
    assert (answer["hits"]["today"], answer["hits"]["yesterday"]) == (0, 3)
    assert (answer["hits"]["week"], answer["hits"]["month"], answer["hits"]["total"]) == (3, 3, 3)
    answer = daemon.hits(1, "hcm")
    assert (answer["hits"]["today"], answer["hits"]["yesterday"], answer["hits"]["total"]) == (1, 3, 4)
    # It is 17:00 in UTC, another day nowhere else.
    assert daemon.hits(1, "utc")["hits"]["today"] == 3

    numbers = redis.numbers()
    eventually(lambda: numbers.total("hcm") == 4 and numbers.total("utc") == 3)
    assert numbers.day("hcm", datetime.date(2020, 5, 20)) == 3
    assert numbers.day("hcm", datetime.date(2020, 5, 21)) == 1
    assert numbers.day("utc", datetime.date(2020, 5, 20)) == 3
    assert numbers.hours("hcm", "2020-05-20") == {23: 3}
    assert numbers.hours("hcm", "2020-05-21") == {0: 1}
    assert numbers.hours("utc", "2020-05-20") == {16: 2, 17: 1}
    daemon.stop()


def test_end_of_the_year(world, clock):
    clock.set("2020-12-31T23:59:00", "America/New_York")
    redis = world.redis()
    daemon = start(world, clock, redis)
    answer = daemon.hits(5, "ny")
    assert answer["time"].endswith("-05:00")
    assert row(answer, "year") == ("Năm 2020", 5)
    assert row(answer, "month") == ("Tháng 12", 5)
    clock.set("2021-01-01T00:00:00", "America/New_York")
    answer = daemon.hits(2, "ny")
    assert row(answer, "year") == ("Năm 2021", 2)
    assert row(answer, "month") == ("Tháng 01", 2)
    assert row(answer, "yesterday") == ("Hôm qua", 5)
    assert (answer["hits"]["last_year"], answer["hits"]["last_month"], answer["hits"]["total"]) == (5, 5, 7)
    # Both days are in ISO week 53 of 2020.
    assert (answer["hits"]["week"], answer["hits"]["last_week"]) == (7, 0)
    numbers = redis.numbers()
    eventually(lambda: numbers.total("ny") == 7)
    assert numbers.sums("ny") == {"2020-W53": 7, "2020-12": 5, "2021-01": 2, "2020": 5, "2021": 2, "all": 7}
    daemon.stop()


def test_end_of_a_month_and_of_a_week(world, clock):
    # 2020-05-31 is a Sunday, 2020-06-01 a Monday.
    clock.set("2020-05-31T23:59:58")
    daemon = start(world, clock, world.redis())
    daemon.hits(4, "utc")
    clock.set("2020-06-01T00:00:01")
    answer = daemon.hits(1, "utc")
    assert answer["hits"] == {"today": 1, "yesterday": 4, "week": 1, "last_week": 4, "month": 1, "last_month": 4,
                              "year": 5, "last_year": 0, "total": 5}
    assert row(answer, "month") == ("Tháng 06", 1)
    daemon.stop()


def test_hits_of_an_outage_over_midnight_arrive_in_their_day(world, clock):
    clock.set("2020-05-20T23:50:00", "Asia/Ho_Chi_Minh")
    redis = world.redis()
    daemon = start(world, clock, redis)
    daemon.hits(1, "hcm")
    eventually(lambda: redis.numbers().total("hcm") == 1)
    redis.stop()
    daemon.hits(6, "hcm")
    clock.set("2020-05-21T00:10:00", "Asia/Ho_Chi_Minh")
    answer = daemon.hits(2, "hcm")
    assert (answer["hits"]["today"], answer["hits"]["yesterday"], answer["hits"]["total"]) == (2, 7, 9)
    redis.start()
    numbers = redis.numbers()
    eventually(lambda: numbers.total("hcm") == 9)
    assert numbers.day("hcm", datetime.date(2020, 5, 20)) == 7
    assert numbers.day("hcm", datetime.date(2020, 5, 21)) == 2
    daemon.stop()


def test_start_after_midnight_replays_into_the_former_day(world, clock):
    clock.set("2020-05-20T23:50:00", "Asia/Ho_Chi_Minh")
    redis = world.redis()
    daemon = start(world, clock, redis)
    redis.stop()
    daemon.hits(6, "hcm")
    daemon.kill()
    clock.set("2020-05-21T08:00:00", "Asia/Ho_Chi_Minh")
    redis.start()
    daemon.start()
    answer = daemon.counts("hcm")
    assert (answer["hits"]["today"], answer["hits"]["yesterday"]) == (0, 6)
    eventually(lambda: redis.numbers().day("hcm", datetime.date(2020, 5, 20)) == 6)
    assert redis.numbers().hours("hcm", "2020-05-20") == {23: 6}
    daemon.stop()


def test_clock_that_is_set_back_moves_no_hit_into_a_past_day(world, clock):
    clock.set("2020-05-21T00:00:30", "Asia/Ho_Chi_Minh")
    redis = world.redis()
    daemon = start(world, clock, redis)
    daemon.hits(1, "hcm")
    clock.set("2020-05-20T23:00:00", "Asia/Ho_Chi_Minh")
    daemon.hits(2, "hcm")
    eventually(lambda: redis.numbers().total("hcm") == 3)
    assert redis.numbers().day("hcm", datetime.date(2020, 5, 21)) == 3
    daemon.stop()


def test_summer_time_begins_and_ends(world, clock):
    # 2021-03-14 has no hour 2 in New York, 2021-11-07 has hour 1 twice.
    clock.set("2021-03-14T06:59:00")
    redis = world.redis()
    daemon = start(world, clock, redis)
    assert daemon.hits(1, "ny")["time"].startswith("2021-03-14T01:59:")
    clock.set("2021-03-14T07:00:01")
    assert daemon.hits(2, "ny")["time"].startswith("2021-03-14T03:00:")
    clock.set("2021-11-07T05:30:00")
    assert daemon.hits(3, "ny")["time"].endswith("-04:00")
    clock.set("2021-11-07T06:30:00")
    assert daemon.hits(4, "ny")["time"].endswith("-05:00")
    numbers = redis.numbers()
    eventually(lambda: numbers.total("ny") == 10)
    assert numbers.hours("ny", "2021-03-14") == {1: 1, 3: 2}
    assert numbers.hours("ny", "2021-11-07") == {1: 7}
    daemon.stop()
