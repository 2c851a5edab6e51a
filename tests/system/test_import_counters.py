# SPDX-License-Identifier: BSD-2-Clause
"""`thongke import` of other counters' tables. The samples are written as those programs write them (their tables' definitions
are public); the expected numbers are added up by hand beside them."""
import datetime
import gzip
import zoneinfo

import pytest

from cli import Cli
from world import shard

ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.fixture
def cli(world):
    return Cli(world, world.redis())


def held(cli, tail, site="a"):
    numbers = cli.redis.numbers()
    return {field: int(n) for field, n in numbers.client.hgetall(numbers.key(site, tail)).items()}


def write(world, name, text):
    with open(world.path(name), "w") as f:
        f.write(text)
    return world.path(name)


def bring(cli, path, *words, **options):
    [row] = cli.rows("import", "-s", "a", path, *words, **options)
    return {metric: row[metric] for metric in ("hits", "visits", "visitors", "bots") if row[metric]}


def at(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


DAILY = "date,hits,visits,visitors\n2019-12-31,10,5,4\n2020-01-01,20,,\n2020-05-20,653,401,377\n"


def test_daily_numbers(cli, world):
    path = write(world, "daily.csv", DAILY)
    for turn in range(3):
        assert bring(cli, path) == ({} if turn else {"hits": 683, "visits": 406, "visitors": 381})
        assert held(cli, "hits:2020") == {"01-01": 20, "05-20": 653} and held(cli, "hits:2019") == {"12-31": 10}
        assert held(cli, "hits") == {"2020-W01": 30, "2019-12": 10, "2019": 10, "2020-01": 20, "2020-W21": 653, "2020-05": 653,
                                     "2020": 673, "all": 683}
        assert held(cli, "visits")["all"] == 406 and held(cli, "visitors:2020") == {"05-20": 377}
    assert [row["hits"] for row in cli.rows("years", "-s", "a", "--from", "2019", "--to", "2020")] == [10, 673]


def test_daily_numbers_that_have_grown_count_by_their_growth(cli, world):
    bring(cli, write(world, "daily.csv", DAILY))
    later = DAILY.replace("653,401,377", "700,401,380") + "2020-05-21;wrong\n2020-05-21,7\n"
    assert bring(cli, write(world, "later.csv", later)) == {"hits": 54, "visitors": 3}
    assert held(cli, "hits:2020") == {"01-01": 20, "05-20": 700, "05-21": 7}
    assert bring(cli, write(world, "earlier.csv", DAILY)) == {}, "smaller numbers take nothing away"
    assert held(cli, "hits")["all"] == 10 + 20 + 700 + 7


def test_semicolons_quotes_and_gzip(cli, world):
    with gzip.open(world.path("x.csv.gz"), "wt") as f:
        f.write('\ufeff"hits";"Date"\r\n"12";"2020-05-20 00:00:00"\r\n\r\n"3";"2020-05-21"')
    assert bring(cli, world.path("x.csv.gz")) == {"hits": 15}
    with open(write(world, "plain.csv", DAILY)) as f:
        assert bring(cli, "-", "--format", "daily", stdin=f) == {"hits": 683 - 12, "visits": 406, "visitors": 381}


def test_dry_run_and_beacons(cli, world):
    path = write(world, "daily.csv", DAILY)
    client = cli.redis.numbers().client
    assert bring(cli, path, "--dry-run") == {"hits": 683, "visits": 406, "visitors": 381}
    assert client.keys("*") == []
    client.hset(cli.redis.numbers().key("a", "hits:2020"), "05-20", 7)
    cli.run("import", "-s", "a", path, code=1)
    assert "2020-05-20" in cli.said and "--overlap" in cli.said and held(cli, "hits:2020") == {"05-20": 7}
    assert bring(cli, path, "--overlap")["hits"] == 683
    assert held(cli, "hits:2020")["05-20"] == 660
    log = write(world, "log", 'h - - [20/May/2020:10:00:00 +0700] "GET / HTTP/1.1" 200 5\n')
    cli.run("import", "-s", "a", log, code=1)
    assert "2020-05-20" in cli.said, "the seven are still beacons'"


NUKEVIET = """-- phpMyAdmin SQL Dump
/*!40101 SET NAMES utf8 */;
CREATE TABLE `nv4_counter` (
  `c_type` varchar(100) NOT NULL,
  `c_val` varchar(100) NOT NULL,
  `last_update` int(11) NOT NULL DEFAULT '0',
  `c_count` int(11) unsigned NOT NULL DEFAULT '0',
  `vi_count` int(11) unsigned NOT NULL DEFAULT '0',
  UNIQUE KEY `c_type` (`c_type`,`c_val`)
) ENGINE=MyISAM;
CREATE TABLE `nv4_config` (`lang` varchar(3), `value` text);
INSERT INTO `nv4_config` VALUES ('vi', 'it''s (not) \\'a\\' counter;'), ('en', NULL);
INSERT INTO `nv4_counter` VALUES
('c_time', 'start', 0, 1500000000, 0),
('c_time', 'last', 0, {last}, 0),
('total', 'hits', {last}, {total}, {total}),
('year', '2018', 1, 1000, 1000),
('year', '2019', 1, 2000, 2000),
('year', '2020', 1, {year}, {year}),
('year', '2021', 0, 0, 0),
('month', 'Jan', 1, 300, 300),
('month', 'May', 1, {may}, {may}),
('month', 'Jun', 1, {june}, {june}),
('month', 'Dec', 1, 999, 999),
{days}
('dayofweek', 'Monday', 1, 77, 77),
('hour', '00', 1, 88, 88),
('browser', 'chrome', 1, 99, 99);
"""


def nukeviet(day, total, year, may, june, days):
    rows = "".join(f"('day', '{n:02}', 1, {hits}, {hits}),\n" for n, hits in days.items())
    return NUKEVIET.format(last=at(f"{day}T23:59:59"), total=total, year=year, may=may, june=june, days=rows)


def test_nukeviets_table(cli, world):
    """Days of the running month, months of the running year, years: each holds the shorter ones. What is more than they are
    cannot be told apart by day and stands beside them, as adjustments do; December is the year before's and already part of that."""
    path = write(world, "may.sql", nukeviet("2020-05-20", 3600, 520, 200, 0, {1: 50, 20: 60}))
    for turn in range(2):
        assert bring(cli, path, "--dry-run") == bring(cli, path) == ({} if turn else {"hits": 3600})
        assert held(cli, "hits:2020") == {"05-01": 50, "05-20": 60}
        assert held(cli, "base") == {"hits 2020-01": 300, "hits 2020-05": 90, "hits 2018": 1000, "hits 2019": 2000,
                                     "hits 2020": 410, "hits all": 3490}
    assert {row["period"]: row["hits"] for row in cli.rows("years", "-s", "a", "--from", "2018", "--to", "2020")} == {
        "2018": 1000, "2019": 2000, "2020": 520}
    assert {row["period"]: row["hits"] for row in cli.rows("months", "2020", "-s", "a") if row["hits"]} == {
        "2020-01": 300, "2020-05": 200}
    later = write(world, "june.sql", nukeviet("2020-06-02", 3900, 800, 350, 130, {1: 100, 2: 30}))
    assert bring(cli, later, "--dry-run") == bring(cli, later) == {"hits": 300}
    assert held(cli, "hits:2020") == {"05-01": 50, "05-20": 60, "06-01": 100, "06-02": 30}
    assert held(cli, "base") == {"hits 2020-01": 300, "hits 2020-05": 240, "hits 2018": 1000, "hits 2019": 2000,
                                 "hits 2020": 560, "hits all": 3660}
    assert held(cli, "base")["hits all"] + held(cli, "hits")["all"] == 3900
    assert held(cli, "base")["hits 2020"] + held(cli, "hits")["2020"] == 800


def test_nukeviets_table_as_csv(cli, world):
    path = write(world, "counter.csv", "c_type,c_val,last_update,c_count,vi_count\n"
                 f"c_time,last,0,{at('2020-05-20T12:00:00')},0\nday,20,1,60,60\nmonth,May,1,200,200\n")
    assert bring(cli, path) == {"hits": 200}
    assert held(cli, "hits:2020") == {"05-20": 60} and held(cli, "base") == {f"hits {period}": 140 for period in ("2020-05", "2020", "all")}


def test_vinaoras_table(cli, world):
    """A row is what came since the row before: that of midnight is the day's before."""
    rows = [("2020-05-20T09:00:00", 10, 7, 1, 2), ("2020-05-20T10:00:00", 5, 5, 0, 0), ("2020-05-21T00:00:00", 3, 3, 0, 0),
            ("2020-05-21T00:00:01", 4, 1, 0, 3)]
    values = ",".join(f"({at(time)},{','.join(map(str, numbers))})" for time, *numbers in rows)
    path = write(world, "joomla.sql", f"INSERT INTO `abc_vvcounter_logs` (`time`, `visits`, `guests`, `members`, `bots`) "
                                      f"VALUES {values};\nINSERT INTO abc_session VALUES (1,2);\n")
    assert bring(cli, path) == {"hits": 17, "visits": 17, "bots": 5}
    assert held(cli, "visits:2020") == {"05-20": 16, "05-21": 1} and held(cli, "bots:2020") == {"05-20": 2, "05-21": 3}
    assert bring(cli, path) == {}


def test_vinaoras_table_of_old(cli, world):
    rows = ",".join(f"({n}, {at('2020-05-20T00:00:00') + 3600 * n}, '203.0.113.{n}')" for n in range(30))
    path = write(world, "joomla.sql", "CREATE TABLE IF NOT EXISTS `jos_vvisitcounter` (`id` int(11) unsigned NOT NULL "
                 "auto_increment, `tm` int NOT NULL, `ip` varchar(16) NOT NULL DEFAULT '0.0.0.0', PRIMARY KEY (`id`));\n"
                 f"INSERT INTO `jos_vvisitcounter` VALUES {rows};")
    assert bring(cli, path) == {"hits": 30, "visits": 30}
    assert held(cli, "hits:2020") == {"05-20": 24, "05-21": 6}


def test_wp_statistics_tables(cli, world):
    """Its visitors' rows go before the totals only where they say more: purged days have totals alone."""
    path = write(world, "wp.sql", """
INSERT INTO `wp_statistics_visit` (`ID`, `last_visit`, `last_counter`, `visit`) VALUES
(1, '2020-05-18 10:00:00', '2020-05-18', 100),(2,'2020-05-19 10:00:00','2020-05-19',50);
INSERT INTO `wp_statistics_summary_totals` (`ID`,`date`,`visitors`,`views`) VALUES (1,'2020-05-19',20,55),(2,'2020-05-20',3,9);
INSERT INTO `wp_statistics_visitor` (`ID`,`last_counter`,`referred`,`agent`,`hits`) VALUES
(1,'2020-05-20','','Chrome',4),(2,'2020-05-20','https://x/','Firefox',7),(3,'2020-05-21','','Chrome',NULL);
""")
    assert bring(cli, path) == {"hits": 100 + 55 + 11, "visitors": 20 + 3 + 1}
    assert held(cli, "hits:2020") == {"05-18": 100, "05-19": 55, "05-20": 11}
    assert held(cli, "visitors:2020") == {"05-19": 20, "05-20": 3, "05-21": 1}
    assert bring(cli, path) == {}


def test_vercounts_keys(cli, world):
    """Totals without days; other hosts' are left out."""
    path = write(world, "keys", "pv:site:a.example 1000\nuv:site:count:a.example 300\npv:page:a.example:/ 700\n"
                 "pv:page:a.example:/tin/index.html 120\npv:page:b.example:/ 5\npv:site:b.example 9\n"
                 "site_pv:a.example 900\nlive_page_pv:a.example/tin \"100\"\nuv:site:set:a.example x\n")
    assert bring(cli, path) == {"hits": 1000, "visitors": 300}
    assert held(cli, "base") == {"hits all": 1000, "visitors all": 300, "hits all /": 700, "hits all /tin": 120}
    write(world, "keys", "pv:site:a.example 1010\n")
    assert bring(cli, path) == {"hits": 10} and held(cli, "base")["hits all"] == 1010


def test_what_is_no_counter(cli, world):
    dump = write(world, "dump.sql", "CREATE TABLE x (a int);\nINSERT INTO x VALUES (1),(2);\n")
    cli.run("import", "-s", "a", dump, code=1)
    assert "counter" in cli.said
    cut = world.path("cut.csv.gz")
    with open(cut, "wb") as f:
        f.write(gzip.compress(("date,hits\n" + "".join(f"2020-01-01,{n}\n" for n in range(20000))).encode())[:-500])
    cli.run("import", "-s", "a", cut, code=1)
    assert "ends early" in cli.said and held(cli, "hits") == {}
    log = write(world, "log", 'h - - [20/May/2020:10:00:00 +0700] "GET / HTTP/1.1" 200 5\n')
    cli.run("import", "-s", "a", log, write(world, "daily.csv", DAILY), code=2)
    for words in (["--follow"], ["--all"]):
        cli.run("import", "-s", "a", world.path("daily.csv"), *words, code=2)
    assert held(cli, "hits") == {}


def test_bad_rows_are_counted(cli, world):
    path = write(world, "bad.csv", "date,hits\n2020-13-01,5\n2020-05-20,-5\n2020-05-20,x\n2020-05-20,\n2020-05-21,5\n"
                 "2020-05-22,1e3\n2020-05-23,99999999999999999999\n")
    [row] = cli.rows("import", "-s", "a", path)
    assert (row["rows"], row["bad"], row["hits"]) == (7, 6, 5)
    assert held(cli, "hits:2020") == {"05-21": 5}


def test_poisoned_refused_and_away(cli, world):
    path = write(world, "daily.csv", DAILY)
    numbers = cli.redis.numbers()
    numbers.client.config_set("maxmemory", 1)
    cli.run("import", "-s", "a", path, code=5)
    numbers.client.config_set("maxmemory", 0)
    assert held(cli, "hits") == {}
    numbers.client.set(numbers.key("a", "visits"), "poison")
    cli.run("import", "-s", "a", path, code=5)
    assert numbers.key("a", "visits") in cli.said and held(cli, "hits")["all"] == 683
    cli.redis.stop()
    cli.run("import", "-s", "a", path, code=4)


def test_many_rows_take_many_calls(cli, world):
    start = datetime.date(2010, 1, 1)
    days = [start + datetime.timedelta(days=n) for n in range(3000)]
    path = write(world, "many.csv", "date,hits,bots\n" + "".join(f"{day},{n + 1},{n % 3}\n" for n, day in enumerate(days)))
    assert bring(cli, path) == {"hits": 3000 * 3001 // 2, "bots": 3000}
    assert held(cli, "hits:2015")["07-04"] == days.index(datetime.date(2015, 7, 4)) + 1
    assert bring(cli, path) == {}
    assert cli.redis.numbers().client.hlen(f"thongke:{{{shard('a')}}}:a:brought") > 5000
