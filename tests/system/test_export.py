# SPDX-License-Identifier: BSD-2-Clause
"""An export holds everything but positions and salts, and comes back key by key."""
import csv
import json
import os

import pytest
import redis as redis_client

from changes import TWO, adjust, counting, fill, settled
from cli import Cli
from world import shard


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def contents(redis):
    """Every key with what is in it and its seconds to live, but for positions, marks, salts and the notes of operators."""
    client = redis_client.Redis(unix_socket_path=redis.socket)
    aside = (b":streams", b":forgotten", b":audit", b":meta")
    found = {}
    for key in client.keys():
        if key.endswith(aside) or b":salt:" in key:
            continue
        kind = client.type(key)
        value = {b"hash": client.hgetall, b"string": client.get,
                 b"zset": lambda name: client.zrange(name, 0, -1, withscores=True)}[kind](key)
        found[key] = (kind, value, client.ttl(key))
    return found


def same(left, right):
    assert left.keys() == right.keys()
    for key, (kind, value, ttl) in left.items():
        other_kind, other, other_ttl = right[key]
        assert (kind, value) == (other_kind, other), key
        assert (ttl < 0) == (other_ttl < 0) and abs(ttl - other_ttl) <= 60, key
    return True


class Elsewhere:
    """The same world, with files of its own."""
    def __init__(self, world):
        self.path = lambda name: os.path.join(world.path("other"), name)


@pytest.fixture
def elsewhere(world):
    """Another, empty Redis with a command line of its own."""
    os.mkdir(world.path("other"))
    return Cli(Elsewhere(world), world.redis("elsewhere"), sites=TWO)


@pytest.fixture
def exported(world, counting):
    """Real hits, months of history, odd values, adjustments; their export."""
    daemon, redis, cli = counting
    daemon.stop()
    fill(redis)
    numbers = redis.numbers()
    numbers.client.zadd(numbers.key("a", "pages:2020-05"), {f"/trang/{n}": n + 1 for n in range(1500)})
    numbers.client.zadd(numbers.key("a", "referrers:2020-05"), {'"<\\x00\t=HYPERLINK("é': 3, "(other)": 2})
    numbers.client.hset("thongke:meta", "trimmed", "2020-05-20")
    adjust(cli, "--year", "2020", "--add", "1000")
    path = world.path("export.ndjson")
    with open(path, "w") as file:
        file.write(cli.run("export"))
    return redis, cli, path


def test_an_export_is_restored_key_by_key(exported, elsewhere):
    redis, cli, path = exported
    with open(path) as file:
        text = file.read()
    first, *_, last = lines(text)
    assert first["thongke_export"] == 1 and last == {"end": len(text.splitlines())}
    for word in ("--dry-run", "--follow", "--format=combined"):
        elsewhere.run("import", word, path, code=2)
    rows = elsewhere.rows("import", path)
    assert [row["site"] for row in rows] == ["a", "b"] and all(row["already"] == 0 for row in rows)
    assert same(contents(redis), contents(elsewhere.redis))
    assert elsewhere.rows("audit")[:-1] == cli.rows("audit") and len(cli.rows("audit")) == 1
    assert elsewhere.redis.numbers().client.hget("thongke:meta", "trimmed") == "2020-05-20"
    again = elsewhere.rows("import", path)
    assert [row["lines"] for row in again] == [0, 0] and again[0]["already"] == rows[0]["lines"]
    assert same(contents(redis), contents(elsewhere.redis))


def test_what_imports_noted_is_restored_as_well(world, exported, elsewhere):
    """Else a day of a log would look like one of the pages' own, and another counter's numbers would come twice."""
    redis, cli, path = exported
    daily, log = world.path("daily.csv"), world.path("access.log")
    with open(daily, "w") as file:
        file.write("date,hits\n2019-05-20,7\n")
    with open(log, "w") as file:
        file.write('h - - [21/May/2019:10:00:00 +0700] "GET / HTTP/1.1" 200 5\n')
    for name in (daily, log):
        cli.run("import", "-s", "a", name)
    with open(path, "w") as file:
        file.write(cli.run("export"))
    elsewhere.run("import", path)
    assert same(contents(redis), contents(elsewhere.redis))
    assert elsewhere.rows("import", "-s", "a", daily)[0]["hits"] == 0
    with open(log, "w") as file:
        file.write('h - - [21/May/2019:11:00:00 +0700] "GET / HTTP/1.1" 200 5\n')
    assert elsewhere.rows("import", "-s", "a", log)[0]["counted"] == 1
    cli.run("export", "--dir", world.path("tables"))
    assert not {"brought.csv", "imported.csv"} & set(os.listdir(world.path("tables")))


def test_an_interrupted_restoring_goes_on(world, exported, elsewhere):
    redis, _, path = exported
    with open(path) as file:
        whole = file.read().splitlines(keepends=True)
    part = world.path("part.ndjson")
    for upto in (1, 5, 17, len(whole) - 1):
        with open(part, "w") as file:
            file.writelines(whole[:upto])
        elsewhere.run("import", part, code=1)
        assert "ends early" in elsewhere.said
    elsewhere.run("import", path)
    assert same(contents(redis), contents(elsewhere.redis))


def test_one_site_of_an_export_and_what_is_there_already(exported, elsewhere):
    redis, cli, path = exported
    there = elsewhere.redis.numbers()
    there.client.hset(there.key("b", "hits"), mapping={"2019": 4, "all": 4})
    elsewhere.run("import", path, "-s", "b")
    assert there.sums("b")["all"] == 9 and there.sums("b")["2019"] == 4 and there.sums("a") == {}
    assert there.client.exists(f"thongke:{{{shard('b')}}}:forgotten") == 0, "nothing it has may be taken for the export's"
    one = lines(cli.run("export", "-s", "b"))
    assert {line["site"] for line in one[1:-1]} == {"b"}
    elsewhere.run("import", path, "-s", "nobody", code=1)
    cli.run("export", "-s", "nobody", code=1)


def test_restored_hits_are_not_counted_again_from_a_journal(world, counting, elsewhere):
    """Redis is lost; the export is of before the last hits, the journal holds all of them."""
    daemon, redis, cli = counting
    path = world.path("export.ndjson")
    with open(path, "w") as file:
        file.write(cli.run("export"))
    daemon.hits(3)
    settled(daemon, redis, 23)
    daemon.stop()
    redis.numbers().client.flushall()
    cli.run("import", path)
    assert redis.numbers().total("a") == 20
    daemon.start()
    settled(daemon, redis, 23)
    settled(daemon, redis, 5, "b")


def test_tables_of_an_export(world, exported):
    _, cli, _ = exported
    directory = world.path("tables")
    assert cli.run("export", "-s", "a", "--dir", directory) == ""
    tables = {name: list(csv.DictReader(open(os.path.join(directory, name), newline="")))
              for name in os.listdir(directory)}
    counts = {(row["metric"], row["period"]): int(row["count"]) for row in tables["counts.csv"]}
    assert counts["hits", "2020-04"] == 300 and counts["hits", "2020-05-20"] == 10 and counts["visitors", "all"] == 151
    assert {"site": "a", "metric": "hits", "period": "2020", "page": "", "adjusted": "1000"} in tables["adjusted.csv"]
    assert {"site": "a", "hour": "2020-04-03T07", "hits": "10"} in tables["hours.csv"]
    pages = {(row["period"], row["value"]): row["hits"] for row in tables["pages.csv"]}
    assert pages["all", "/always"] == "450" and pages["2020-05", "/trang/1499"] == "1500"
    assert {row["value"] for row in tables["countries.csv"]} == {"VN"}
    assert {"site": "a", "period": "2020-05-20", "value": "/always", "visits": "4"} in tables["pagevisits.csv"]


@pytest.mark.parametrize("line", [
    "nonsense", '{"site":"a","key":"hits","first":0,"seconds":0,"value":[["all"]]}', '{"site":"a","key":"streams","value":[]}',
    '{"site":"../x","key":"hits","value":[["all",1]]}', '{"site":"a","key":"unique:2020-05-20","base64":"%"}', "[]",
    '{"site":"a","key":"hits","seconds":-5,"value":[["all",1]]}', '{"end":7}\n{"end":3}', '{"trimmed":"soon"}'])
def test_what_is_no_line_of_an_export(world, elsewhere, line):
    path = world.path("export.ndjson")
    with open(path, "w") as file:
        file.write('{"thongke_export":1,"version":"0","ms":1589959927000}\n' + line + "\n")
    elsewhere.run("import", path, code=1)
    assert not elsewhere.redis.numbers().client.keys("thongke:{*")
