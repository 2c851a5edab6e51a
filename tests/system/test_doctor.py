# SPDX-License-Identifier: BSD-2-Clause
"""`thongke doctor`: each of its lines made bad once, and well once. Servers of the test's own play what a real one of today
cannot: an old Redis, a daemon with each of its problems."""
import csv
import datetime
import http.server
import io
import json
import os
import re
import socketserver
import shutil
import signal
import subprocess
import threading
import time

import pytest

from cli import FAKETIME, SITES, THONGKE, Cli
from mmdb import write_mmdb
from world import ROOT, eventually, free_port, shard, today

needs_clock = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")
VERSION = subprocess.run([THONGKE, "version"], capture_output=True, text=True, check=True).stdout.split()[1]
FINE = {"status": "ok", "age": 0, "lag_bytes": 0, "version": VERSION, "problems": []}
DAY = 86400
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Accept-Language": "vi"}


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@pytest.fixture
def serve(world):
    """Runs a handler on a unix socket of that name, until the test is over."""
    running = []

    def start(name, handler):
        server = UnixServer(world.path(name), handler)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        running.append(server)
        return world.path(name)
    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def admin(says):
    """A daemon's admin listener that has this to say at /readyz."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def address_string(self):
            return "unix"

        def log_message(self, *_):
            pass

        def do_GET(self):
            assert self.path == "/readyz"
            body = (says if isinstance(says, str) else json.dumps(says)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    return Handler


@pytest.fixture
def cli(world, serve):
    """All is well."""
    geo = world.path("geo.mmdb")
    write_mmdb(geo, {"203.0.113.0/24": "VN"}, built=int(time.time()))
    os.mkdir(world.path("state"), 0o700)
    redis = world.redis()
    redis.numbers().client.config_set("maxmemory-policy", "noeviction")
    socket = serve("admin", admin(FINE))
    return Cli(world, redis, SITES, f'geoip = {{"{geo}"}}\nadmin_listen = {{"unix:{socket}"}}')


def checked(cli, *words, code=1):
    """{check: (state, finding, advice)}, in the order shown; of checks of one name the last."""
    rows = csv.DictReader(io.StringIO(cli.run(*words, "doctor", "--csv", code=code)))
    return {row["check"]: (row["state"], row["finding"], row["advice"]) for row in rows}


def states(found):
    return {check: state for check, (state, _, _) in found.items() if state != "ok"}


def test_all_is_well(cli):
    found = checked(cli, code=0)
    assert states(found) == {}
    assert list(found) == ["visitors' addresses", "gap_hits", "daemon", "journal lag", "versions", "configuration", "state_dir",
                           "time zones", "geoip", "bots", "redis", "redis version", "maxmemory-policy", "appendonly",
                           "redis rights", "memory", "clocks", "salts", "positions"]
    assert all(advice == "" for _, _, advice in found.values()), "nothing is to be done"
    assert found["redis version"][1] == cli.redis.numbers().client.info("server")["redis_version"]
    assert cli.said == ""


@pytest.mark.parametrize("state, days", [("ok", 90), ("warn", 91)])
def test_age_of_country_files(cli, world, state, days):
    write_mmdb(world.path("geo.mmdb"), {"203.0.113.0/24": "VN"}, built=int(time.time()) - days * DAY - 60)
    found = checked(cli, code=0)
    assert found["geoip"][0] == state and f" {days} days" in found["geoip"][1]
    assert (found["geoip"][2] != "") == (state != "ok")


def test_country_files_that_are_missing_or_damaged(cli, world):
    with open(world.path("damaged.mmdb"), "wb") as f:
        f.write(b"no database" * 1000)
    write_mmdb(world.path("networks.mmdb"), {"203.0.113.0/24": "VNPT"}, shape="asn")
    for name in ("nothing.mmdb", "damaged.mmdb", "networks.mmdb"):
        found = checked(cli, "-o", f"geoip={world.path(name)}")
        assert states(found) == {"geoip": "bad"} and world.path(name) in found["geoip"][1]
    assert checked(cli, "-o", "geoip=", code=0)["geoip"][0] == "ok", "none is wanted"


def test_lists(cli, world):
    with open(world.path("list"), "w") as f:
        f.write("not a list (\n")
    bots = checked(cli, "-o", f"bots={world.path('list')}")["bots"]
    assert bots[0] == "bad" and "list:1" in bots[1]
    assert checked(cli, "-o", "bots=", code=0)["bots"][0] == "warn"
    assert checked(cli, "-o", f"referrer_blocklist={world.path('list')}")["blocklist"][0] == "bad"
    with open(world.path("list"), "w") as f:
        f.write("spam.example\n")
    assert checked(cli, "-o", f"referrer_blocklist={world.path('list')}", code=0)["blocklist"][0] == "ok"


def test_configuration(cli):
    with open(cli.conf, "a") as f:
        f.write("nonsense = 1\n")
    found = checked(cli)
    assert states(found) == {"configuration": "bad"} and "nonsense" in found["configuration"][1]
    assert list(checked(cli, "-c", "/nonexistent")) == ["configuration"]


def test_redis_settings(cli):
    client = cli.redis.numbers().client
    client.config_set("maxmemory-policy", "allkeys-lru")
    found = checked(cli)
    assert states(found) == {"maxmemory-policy": "bad"}
    assert "noeviction" in found["maxmemory-policy"][2]
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("appendonly", "no")
    assert checked(cli)["appendonly"][:2] == ("bad", "no")


def test_redis_that_does_not_serve(cli, world):
    client = cli.redis.numbers().client
    client.hset("thongke:meta", "schema", "9")
    assert checked(cli)["redis"][0] == "bad"
    client.delete("thongke:meta")
    client.config_set("requirepass", "secret")
    assert "password" in checked(cli)["redis"][2]
    password = world.path("password")
    with open(password, "w") as f:
        f.write("secret\n")
    for mode, state in [(0o600, "ok"), (0o640, "ok"), (0o644, "bad"), (0o620, "bad")]:
        os.chmod(password, mode)
        found = checked(cli, "-o", f"redis_password_file={password}", code=int(state == "bad"))
        assert found["redis"][0] == "ok" and found["password file"][0] == state
    cli.redis.stop()
    found = checked(cli)
    assert found["redis"][0] == "bad" and "redis version" not in found
    assert "start thongked" in checked(cli, "-o", "redis=private")["redis"][2]
    found = checked(cli, "-o", "redis_password_file=/nonexistent")
    assert found["redis"][0] == found["password file"][0] == "bad"


def old_redis(version):
    """Answers what is asked on connect, in Redis' own protocol; an HGET finds nothing, CONFIG is forbidden."""
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while line := self.rfile.readline():
                words = []
                for _ in range(int(line[1:])):
                    size = int(self.rfile.readline()[1:])
                    words.append(self.rfile.read(size + 2)[:-2].decode(errors="replace"))
                info = f"# Server\r\nredis_version:{version}\r\nrun_id:x\r\nmaster_replid:y\r\n"
                answers = {"INFO": f"${len(info)}\r\n{info}\r\n", "SCRIPT": "$1\r\nx\r\n", "CONFIG": "-NOPERM\r\n", "HGET": "$-1\r\n"}
                self.wfile.write(answers.get(words[0], "-ERR unknown command\r\n").encode())
    return Handler


def test_redis_that_is_too_old(cli, serve):
    for version, state in [("5.0.14", "bad"), ("6.0.16", "bad"), ("6.2.0", "ok"), ("7.0.15", "ok")]:
        path = serve(f"redis-{version}", old_redis(version))
        found = checked(cli, "-o", f"redis=unix:{path}", code=1 if state == "bad" else 0)
        assert found["redis version"][:2] == (state, version)
        assert found["maxmemory-policy"][0] == found["appendonly"][0] == "warn", "it does not tell"


PROBLEMS = {"front_forgets_address": "visitors' addresses", "gap_hits": "gap_hits", "redis_away": "daemon's redis",
            "countries_file": "geoip", "bots_file": "bots", "blocklist_file": "blocklist", "redis_refuses": "daemon's redis", "redis_setup": "daemon's redis", "refused_fields": "refused fields",
            "hits_unavailable": "journal", "journal_damaged": "journal", "journal_write_errors": "journal"}


@pytest.mark.parametrize("problem", [*PROBLEMS, "replaying", "resets", "unheard_of"])
def test_problems_of_the_daemon(cli, serve, problem):
    path = serve("other", admin({**FINE, "status": "degraded", "problems": [{"problem": problem, "count": 12, "text": "x\x1b"}]}))
    warned = problem in ("replaying", "resets")
    found = checked(cli, "-o", f"admin_listen=unix:{path}", code=0 if warned else 1)
    check = PROBLEMS.get(problem, {"replaying": "replay"}.get(problem, problem))
    if check in ("geoip", "bots"):  # a line of the same name follows, about the file itself
        found = {row["check"]: (row["state"], row["finding"], row["advice"]) for row in reversed(list(csv.DictReader(io.StringIO(
            cli.run("doctor", "--csv", "-o", f"admin_listen=unix:{path}", code=1)))))}
    state, finding, advice = found[check]
    assert state == ("warn" if warned else "bad") and advice
    if problem != "unheard_of":
        assert finding.startswith("12 ") and finding.endswith(": x\ufffd")
    assert "visitors' addresses" in (next(iter(found)), next(reversed(found)))
    shown = cli.run("doctor", "--table", "-o", f"admin_listen=unix:{path}", code=0 if warned else 1)
    assert re.search(rf"^{state:4}  {re.escape(check)} .*\n {{6}}-> {re.escape(advice)}$", shown, re.MULTILINE)
    assert "\x1b" not in shown


def test_every_problem_that_the_daemon_may_have_is_known():
    with open(os.path.join(ROOT, "daemon", "PROTOCOL.md")) as f:
        table = f.read().split("| problem | meaning |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`(?=[^|]*\| )", "".join(re.findall(r"^\| [^|]*\| ", table, re.MULTILINE)))) == {*PROBLEMS, "replaying", "resets"}


def test_a_daemon_that_is_not_there(cli, world, serve):
    assert checked(cli, "-o", f"admin_listen=unix:{world.path('nothing')}")["daemon"][0] == "bad"
    for n, says in enumerate(["no JSON", "[]", '{"status":7}']):
        path = serve(f"strange{n}", admin(says))
        state, finding, _ = checked(cli, "-o", f"admin_listen=unix:{path}")["daemon"]
        assert state == "bad" and "no thongked" in finding
    loading = serve("loading", admin({**FINE, "status": "loading"}))
    assert checked(cli, "-o", f"admin_listen=unix:{loading}")["daemon"][0] == "bad"


def test_a_real_daemon_whose_front_server_forgets_the_address(world):
    """Loopback is a trusted proxy: 100 hits without its header say nothing of their clients."""
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    cli = Cli(world, redis)
    cli.conf = daemon.conf
    assert checked(cli, code=0)["daemon"][0] == "ok"
    for n in range(100):
        assert daemon.request("GET", f"/hit?s=a&u=/{n}&q=1", headers=BROWSER).status == 204
    found = checked(cli)
    assert states(found) == {"visitors' addresses": "bad"} and found["visitors' addresses"][1].startswith("100 ")
    assert "X-Forwarded-For" in found["visitors' addresses"][2]
    daemon.stop()
    assert checked(cli)["daemon"][0] == "bad"


def test_what_others_may_write(cli, world):
    for mode, state in [(0o700, "ok"), (0o755, "ok"), (0o775, "bad"), (0o777, "bad")]:
        os.chmod(cli.state, mode)
        found = checked(cli, code=int(state == "bad"))
        assert states(found) == ({} if state == "ok" else {"state_dir": "bad"})
    os.rmdir(cli.state)
    assert checked(cli, code=0)["state_dir"][0] == "warn", "it may not have run yet"
    with open(cli.state, "w"):
        assert checked(cli)["state_dir"][0] == "bad"


def test_rules_of_time_zones(cli, world, monkeypatch):
    zones = world.path("zones")
    os.makedirs(os.path.join(zones, "Asia"))
    for name in ("Asia/Ho_Chi_Minh", "UTC"):
        shutil.copy(f"/usr/share/zoneinfo/{name}", os.path.join(zones, name))
    monkeypatch.setenv("TZDIR", zones)
    assert checked(cli, code=0)["time zones"][0] == "warn", "they do not say"
    for year, state in [(today().year, "ok"), (today().year - 1, "ok"), (today().year - 2, "warn")]:
        with open(os.path.join(zones, "tzdata.zi"), "w") as f:
            f.write(f"# version {year}c\n# more\n")
        found = checked(cli, code=0)["time zones"]
        assert found[0] == state and f"{year}c" in found[1]


def test_rights_of_the_user(cli):
    client = cli.redis.numbers().client
    port = free_port()
    client.config_set("port", port)  # a unix socket's address has no place for a user

    def user(*rules):
        client.execute_command("ACL", "SETUSER", "counter", "reset", "on", ">secret", *rules)
    user("+@all", "~thongke:*")
    where = f"redis=redis://counter:secret@127.0.0.1:{port}"
    assert states(checked(cli, "-o", where, code=0)) == {}
    user("+@all", "~thongke:*", "-hincrby", "-pfadd")
    state, finding, advice = checked(cli, "-o", where)["redis rights"]
    assert state == "bad" and "HINCRBY, PFADD" in finding and "ACL" in advice
    user("+@all", "~other:*")
    assert checked(cli, "-o", where)["redis"][0] == "bad", "another's keys"


def test_memory_against_growth(cli):
    numbers = cli.redis.numbers()
    client = numbers.client
    begun = today() - datetime.timedelta(days=9)
    client.hset(numbers.key("a", "hits"), f"{begun.year}", 5)
    client.hset(numbers.key("a", f"hits:{begun.year}"), f"{begun:%m-%d}", 5)
    for n in range(2000):
        client.set(f"thongke:ballast:{n}", "x" * 10_000)
    assert checked(cli, code=0)["memory"][0] == "ok"
    used = client.info("memory")["used_memory"]
    a_day = (used - client.info("memory")["used_memory_startup"]) / 10
    for left, state in [(1000, "ok"), (100, "warn"), (10, "bad")]:
        client.config_set("maxmemory", int(used + left * a_day))
        found = checked(cli, code=int(state == "bad"))["memory"]
        assert found[0] == state and 0.5 * left < int(re.search(r"in (\d+) days", found[1])[1]) < 2 * left
    client.delete(numbers.key("a", "hits"))
    client.config_set("maxmemory", int(used * 1.02))
    assert checked(cli)["memory"][0] == "bad", "nothing is left whatever the rate"


@needs_clock
@pytest.mark.parametrize("seconds, state", [(0, "ok"), (20, "warn"), (300, "bad")])
def test_clocks_that_differ(cli, seconds, state):
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + seconds))
    found = checked(cli.frozen(f"@{moment}"), code=int(state == "bad"))["clocks"]
    assert found[0] == state and abs(int(found[1].split()[-3]) - seconds) <= 2


def test_salts_that_stay(cli):
    client = cli.redis.numbers().client
    days = [today() - datetime.timedelta(days=n) for n in (20, 0)]
    client.set(f"thongke:salt:{days[1]}", "x" * 16, ex=72 * 3600)
    assert checked(cli, code=0)["salts"][0] == "ok"
    client.persist(f"thongke:salt:{days[1]}")
    found = checked(cli)["salts"]
    assert found[0] == "bad" and str(days[1]) in found[1]
    client.expire(f"thongke:salt:{days[1]}", 3600)
    client.set(f"thongke:salt:{days[0]}", "x" * 16, ex=3600)
    found = checked(cli)["salts"]
    assert found[0] == "bad" and str(days[0]) in found[1] and "DEL" in found[2]


def test_positions_without_number(cli):
    client = cli.redis.numbers().client
    with client.pipeline(transaction=False) as pipe:
        for n in range(101):
            pipe.hset(f"thongke:{{{shard('a')}}}:streams", mapping={f"{n:08x}{m:08x}": "1:20200520" for m in range(1000)})
        pipe.execute()
    found = checked(cli, code=0)["positions"]
    assert found[0] == "warn" and found[1].startswith("101000 ")


@pytest.mark.parametrize("lag, state", [(1000, "ok"), (2 << 20, "warn"), (65 << 20, "bad")])
def test_journal_lag(cli, serve, lag, state):
    path = serve("other", admin({**FINE, "lag_bytes": lag}))
    found = checked(cli, "-o", f"admin_listen=unix:{path}", code=int(state == "bad"))
    assert states(found) == ({} if state == "ok" else {"journal lag": state})


def test_another_version(cli, serve):
    for says in ({**FINE, "version": "0.0.1"}, {key: value for key, value in FINE.items() if key != "version"}):
        path = serve(f"other{len(says)}", admin(says))
        assert states(checked(cli, "-o", f"admin_listen=unix:{path}", code=0)) == {"versions": "warn"}


def test_settings_of_a_real_daemon(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis).start()
    cli = Cli(world, redis)
    cli.conf = daemon.conf
    assert checked(cli, code=0)["settings"][0] == "ok"
    assert "restart" in checked(cli, "-o", "journal.sync=always", code=0)["settings"][2]
    assert "reload" in checked(cli, "-o", "site.a.language=en", code=0)["settings"][2]
    with open(daemon.conf, "a") as f:
        f.write('site "b" { hosts = {"b.example"} rows = {"today"} }\njournal { retain = "2h" }\n')
    assert "restart" in checked(cli, code=0)["settings"][2]
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: daemon.counts("b"))
    assert "restart" in checked(cli, code=0)["settings"][2], "a reload does not change what is kept"
    assert checked(cli, "-o", "journal.retain=24h", code=0)["settings"][0] == "ok"
    daemon.stop()
