# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of commands that change something have in common."""
import datetime

import pytest
import redis as redis_client

from cli import Cli
from world import SITE, eventually, shard

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


def base(cli, site="a"):
    numbers = cli.redis.numbers()
    return {field: int(value) for field, value in numbers.client.hgetall(numbers.key(site, "base")).items()}


def adjust(cli, *words, **options):
    return cli.rows("adjust", "-s", "a", "--yes", *words, **options)


def everything(cli):
    """All of Redis but the audit list and the note that something changed."""
    client = redis_client.Redis(unix_socket_path=cli.redis.socket)
    return {key: client.dump(key) for key in client.keys() if not key.endswith((b":audit", b":meta"))}


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
