# SPDX-License-Identifier: BSD-2-Clause
"""A site becomes a part of another one: what it had, what is on its way, what still names it."""
import itertools
import signal
import subprocess

import pytest
import redis as redis_client

from changes import TWO, base, fill, keys, no_gap, settled
from cli import Cli
from world import eventually, shard

MERGED = 'site "a" { hosts = {"a.example", "b.example"} aliases = {"b"} }\n'


def reload(daemon, site):
    """The daemon reads another configuration of its sites."""
    with open(daemon.conf) as file:
        text = file.read()
    with open(daemon.conf, "w") as file:
        file.write(text.replace(TWO, site))
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "reloaded" in daemon.log(), what="it says so")


@pytest.fixture
def cli(world):
    """Both sites have history; they lie in two shards."""
    redis = world.redis()
    fill(redis, "a")
    fill(redis, "b")
    assert shard("a") != shard("b")
    return Cli(world, redis, sites=MERGED)


def sums(redis, site):
    """{tail: content} of a site, numbers added up where two have them."""
    client = redis_client.Redis(unix_socket_path=redis.socket, decode_responses=True)
    found = {}
    for key in keys(redis, site):
        tail = key.split(":", 3)[3]
        kind = client.type(key)
        if kind == "hash":
            found[tail] = {field: int(value) for field, value in client.hgetall(key).items()}
        elif kind == "zset":
            found[tail] = dict(client.zrange(key, 0, -1, withscores=True))
    return found


def added(left, right):
    return {tail: {name: left.get(tail, {}).get(name, 0) + right.get(tail, {}).get(name, 0)
                   for name in {*left.get(tail, {}), *right.get(tail, {})}} for tail in {*left, *right}}


def merge(cli, *words, **options):
    return cli.rows("merge", "b", "a", "--yes", *words, **options)


def test_two_sites_are_one(cli):
    numbers = cli.redis.numbers()
    numbers.client.zadd(numbers.key("b", "pages:2020-05"), {f"/b/{n}": n + 1 for n in range(700)})
    numbers.client.hset(numbers.key("b", "base"), "hits 2020", 30)
    numbers.client.pfadd(numbers.key("b", "unique:2020-05-20"), *"yz")
    numbers.client.expire(numbers.key("b", "hours:2020-05-20"), 1000)
    expected = added(sums(cli.redis, "a"), sums(cli.redis, "b"))
    count = len(keys(cli.redis, "b"))
    row = {"from": "b", "into": "a", "keys": count, "hits": 500}
    assert merge(cli, "--dry-run") == [row] and len(keys(cli.redis, "b")) == count
    assert merge(cli) == [row]
    assert sums(cli.redis, "a") == expected and not numbers.client.keys("*}:b*")
    assert numbers.total("a") == 1000 and base(cli) == {"hits 2020": 30}
    assert numbers.client.pfcount(numbers.key("a", "unique:2020-05-20")) == 3
    assert numbers.client.ttl(numbers.key("a", "hours:2020-05-20")) == -1, "what was there for ever stays so"
    assert cli.rows("audit")[0]["what"] == "merge b into a"
    cli.run("merge", "b", "a", "--yes", code=1)


def test_an_interrupted_merge_goes_on(world, cli):
    """The command line is killed as it sends its nth word to Redis, for every n; in the end everything is there once."""
    expected = added(sums(cli.redis, "a"), sums(cli.redis, "b"))
    for nth in itertools.count(3):
        trace = ["strace", "-o", "/dev/null", "-e", "trace=write,sendto", "-e", f"inject=write,sendto:signal=KILL:when={nth}"]
        done = subprocess.run([*trace, *cli.command("merge", "b", "a", "--yes")], env=cli.environment(), timeout=60,
                              capture_output=True)
        if done.returncode >= 0 and done.returncode != 128 + signal.SIGKILL:
            break
    assert done.returncode == 0 and nth > 10, (nth, done.stderr)
    assert sums(cli.redis, "a") == expected and not cli.redis.numbers().client.keys("*}:b*")


def test_two_at_once(cli):
    expected = added(sums(cli.redis, "a"), sums(cli.redis, "b"))
    both = [cli.start("merge", "b", "a", "--yes") for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
    assert 0 in [process.returncode for process in both]
    assert sums(cli.redis, "a") == expected and not cli.redis.numbers().client.keys("*}:b*")


@pytest.mark.parametrize("sites, words", [
    (TWO, ["b", "a"]), (MERGED, ["a", "b"]), (MERGED, ["a", "a"]), (MERGED, ["nobody", "a"]), (MERGED, ["b", "nobody"]),
    (MERGED, ["B*", "a"])])
def test_what_cannot_be_merged(world, sites, words):
    redis = world.redis()
    fill(redis, "b")
    cli = Cli(world, redis, sites=sites)
    before = sums(redis, "b")
    cli.run("merge", *words, "--yes", code=1)
    assert sums(redis, "b") == before and cli.rows("audit") == []


def test_hits_that_name_the_former_key_and_those_on_their_way(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis, site=TWO).start()
    other = world.thongked(redis=redis, site=TWO, name="other").start()
    daemon.hits(20)
    daemon.hits(5, site="b")
    settled(daemon, redis, 5, "b")
    redis.stop()
    other.hits(7, site="b", page="/spät")
    other.kill()
    redis.start()
    settled(daemon, redis, 20)
    reload(daemon, MERGED)
    count = 20
    for site in iter(lambda: daemon.hit(site="b")["site"], "a"):
        count += 1
    count += 1
    cli = Cli(world, redis, sites=MERGED)
    merge(cli)
    settled(daemon, redis, count + 5)
    other.start()  # its own configuration knows both sites still
    settled(daemon, redis, count + 12)
    assert redis.numbers().total("b") == 0 and not redis.numbers().client.keys("*}:b~*")
    daemon.hits(3, site="b")
    settled(daemon, redis, count + 15)
    numbers = redis.numbers()
    assert numbers.client.zscore(numbers.key("a", "pages"), "/spät") == 7
    assert no_gap(daemon) and "merged from=b into=a" in daemon.log()
    # A whole site goes with its former keys: what comes late is dropped.
    assert cli.rows("forget", "-s", "a", "--yes")[0]["hits"] == count + 15
    settled(daemon, redis, 0)
    assert sorted(numbers.client.hkeys(f"thongke:{{{shard('b')}}}:forgotten")) == [":", "b", "b merged"]


def test_a_new_name(world):
    redis = world.redis()
    fill(redis, "b")
    expected = sums(redis, "b")
    cli = Cli(world, redis, sites='site "new" { hosts = {"b.example"} aliases = {"b"} }\n')
    assert cli.rows("rename", "b", "new", "--yes")[0]["hits"] == 500
    assert sums(redis, "new") == expected and keys(redis, "b") == []
    assert cli.rows("years", "-s", "b")[0]["hits"] == 500, "the former key still names it"
