# SPDX-License-Identifier: BSD-2-Clause
"""`thongke doctor`: each of its lines made bad once, and well once. Servers of the test's own play what a real one of today
cannot: an old Redis, a daemon with each of its problems."""
import csv
import http.server
import io
import json
import os
import re
import socketserver
import threading

import pytest

from cli import FAKETIME, SITES, Cli
from mmdb import write_mmdb
from world import ROOT

needs_clock = pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed")
FINE = {"status": "ok", "age": 0, "lag_bytes": 0, "problems": []}
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
    write_mmdb(geo, {"203.0.113.0/24": "VN"})
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


@needs_clock
def test_all_is_well(cli):
    """The file of countries says of itself that it is of 2020-05-20."""
    cli.frozen("2020-08-18 07:00:00")
    found = checked(cli, code=0)
    assert states(found) == {}
    assert list(found) == ["visitors' addresses", "gap_hits", "daemon", "configuration", "geoip", "bots", "redis",
                           "redis version", "maxmemory-policy", "appendonly"]
    assert all(advice == "" for _, _, advice in found.values()), "nothing is to be done"
    assert found["redis version"][1] == cli.redis.numbers().client.info("server")["redis_version"]
    assert cli.said == ""


@needs_clock
@pytest.mark.parametrize("moment, state, days", [("2020-08-18 07:00:00", "ok", 90), ("2020-08-19 07:00:00", "warn", 91)])
def test_age_of_country_files(cli, moment, state, days):
    found = checked(cli.frozen(moment), code=0)
    assert found["geoip"][0] == state and f" {days} days" in found["geoip"][1]
    assert (found["geoip"][2] != "") == (state != "ok")


def test_country_files_that_are_missing_or_damaged(cli, world):
    with open(world.path("damaged.mmdb"), "wb") as f:
        f.write(b"no database" * 1000)
    for name in ("nothing.mmdb", "damaged.mmdb"):
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
    assert states(found) == {"maxmemory-policy": "bad", "geoip": "warn"}
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
    with open(world.path("password"), "w") as f:
        f.write("secret\n")
    assert checked(cli, "-o", f"redis_password_file={world.path('password')}", code=0)["redis"][0] == "ok"
    cli.redis.stop()
    found = checked(cli)
    assert found["redis"][0] == "bad" and "redis version" not in found
    assert "start thongked" in checked(cli, "-o", "redis=private")["redis"][2]
    assert checked(cli, "-o", "redis_password_file=/nonexistent")["redis"][0] == "bad"


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
                self.wfile.write(answers[words[0]].encode())
    return Handler


def test_redis_that_is_too_old(cli, serve):
    for version, state in [("5.0.14", "bad"), ("6.0.16", "bad"), ("6.2.0", "ok"), ("7.0.15", "ok")]:
        path = serve(f"redis-{version}", old_redis(version))
        found = checked(cli, "-o", f"redis=unix:{path}", code=1 if state == "bad" else 0)
        assert found["redis version"][:2] == (state, version)
        assert found["maxmemory-policy"][0] == found["appendonly"][0] == "warn", "it does not tell"


PROBLEMS = {"front_forgets_address": "visitors' addresses", "gap_hits": "gap_hits", "redis_away": "daemon's redis",
            "redis_refuses": "daemon's redis", "redis_setup": "daemon's redis", "refused_fields": "refused fields",
            "hits_unavailable": "journal", "journal_damaged": "journal", "journal_write_errors": "journal"}


@pytest.mark.parametrize("problem", [*PROBLEMS, "replaying", "resets", "unheard_of"])
def test_problems_of_the_daemon(cli, serve, problem):
    path = serve("other", admin({**FINE, "status": "degraded", "problems": [{"problem": problem, "count": 12, "text": "x\x1b"}]}))
    warned = problem in ("replaying", "resets")
    found = checked(cli, "-o", f"admin_listen=unix:{path}", code=0 if warned else 1)
    check = PROBLEMS.get(problem, {"replaying": "replay"}.get(problem, problem))
    state, finding, advice = found[check]
    assert state == ("warn" if warned else "bad") and advice
    if problem != "unheard_of":
        assert finding.startswith("12 ") and finding.endswith(": x\ufffd")
    assert next(iter(found)) == "visitors' addresses"
    shown = cli.run("doctor", "--table", "-o", f"admin_listen=unix:{path}", code=0 if warned else 1)
    assert re.search(rf"^{state:4}  {re.escape(check)} .*\n {{6}}-> {re.escape(advice)}$", shown, re.MULTILINE)
    assert "\x1b" not in shown


def test_every_problem_that_the_daemon_may_have_is_known():
    with open(os.path.join(ROOT, "daemon", "PROTOCOL.md")) as f:
        table = f.read().split("| problem | meaning |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {*PROBLEMS, "replaying", "resets"}


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
