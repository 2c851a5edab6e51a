# SPDX-License-Identifier: BSD-2-Clause
"""`status`, `check`, `config` and `completion`: what is in force, what runs, and what shells complete."""
import csv
import http.server
import io
import json
import os
import pty
import re
import select
import shutil
import socketserver
import subprocess
import threading
import time

import pytest

from cli import SITES, THONGKE, Cli
from world import THONGKED, eventually

VERSION = subprocess.run([THONGKED, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]


@pytest.fixture
def running(world):
    redis = world.redis()
    redis.numbers().client.config_set("maxmemory-policy", "noeviction")
    daemon = world.thongked("journal { max_size = \"64MiB\" }", redis=redis, site=SITES).start()
    cli = Cli(world, redis)
    cli.conf, cli.daemon = daemon.conf, daemon
    return cli


def items(cli, *words, code=0):
    found = {}
    for row in csv.reader(io.StringIO(cli.run("status", "--csv", *words, code=code))):
        found.setdefault(row[0], []).append(row[1])
    return found


def test_status_of_a_daemon(running):
    running.daemon.hits(12)
    eventually(lambda: running.redis.numbers().total("a") == 12)
    found = items(running)
    assert (found["daemon"], found["version"], found["redis"]) == (["ok"], [VERSION], ["ok"])
    assert found["hits_counted"] == ["12"] and found["gap_hits"] == ["0"] and 0 <= int(found["uptime"][0]) < 120
    assert int(found["memory"][0]) > 1000000 and int(found["journal_on_disk"][0]) > 0 and "problem" not in found
    assert found["redis_version"] == [running.redis.numbers().client.info("server")["redis_version"]]
    values = {row["item"]: row["value"] for row in running.rows("status")}
    assert values["hits_counted"] == 12 and values["daemon"] == "ok"
    assert 'thongke_status_value{item="hits_counted"} 12' in running.run("status", "--prom").splitlines()
    shown = running.terminal("status")
    assert re.search(r"^memory +[\d.,]+ MiB$", shown, re.M) and re.search(r"^uptime +00:0\d:\d\d$", shown, re.M)


def test_status_says_what_is_wrong(running):
    running.redis.numbers().client.config_set("maxmemory-policy", "allkeys-lru")
    running.daemon.stop()
    running.daemon.start()
    found = items(running)
    assert found["daemon"] == ["degraded"] and any("allkeys-lru" in problem for problem in found["problem"])
    running.daemon.stop()
    found = items(running, code=1)
    assert found["daemon"] == ["absent"] and "nothing answers" in found["problem"][0] and "uptime" not in found
    running.redis.stop()
    assert "cannot connect" in items(running, code=1)["redis"][0]


PERFORMANCE = r"([a-z]+)=(\d+)([a-zA-Z%]*);([\d:~]*);([\d:~]*);0"


def check(cli, *words, code):
    """The line's text, and its performance data: {name: (value, unit, warning, critical)}."""
    done = subprocess.run(cli.command("check", *words), env=cli.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == code and done.stderr == "" and done.stdout.count("\n") == 1, done
    text, _, data = done.stdout.rstrip("\n").partition(" | ")
    assert re.fullmatch(rf"({PERFORMANCE}( |$))*", data), data
    assert text.startswith("THONGKE " + ["OK", "WARNING", "CRITICAL", "UNKNOWN"][code] + ": ")
    return text.split(": ", 1)[1], {m[0]: (int(m[1]), *m[2:5]) for m in re.findall(PERFORMANCE, data)}


def test_check_is_a_plugin(running):
    running.daemon.hits(9)
    for _ in range(2):
        running.daemon.hit(site="b")
    eventually(lambda: running.redis.numbers().total("a") == 9 and running.redis.numbers().total("b") == 2)
    text, data = check(running, code=0)
    assert text == "sites: 2, hits today: 11, online: 2"
    assert data["hits"] == (11, "", "", "") and data["online"][0] == 2 and data["age"][1:] == ("s", "30", "300")
    allocated = running.daemon.metric("thongke_journal_allocated_bytes")
    assert data["journal"][0] == round(allocated * 100 / 2**26) and data["memory"][0] > 1000000
    assert check(running, "-s", "b", code=0)[1]["hits"][0] == 2


@pytest.mark.parametrize("limit, bad", [
    ("hits=8", True), ("hits=9", False), ("hits=10:", True), ("hits=9:", False), ("hits=~:8", True), ("hits=~:9", False),
    ("hits=5:8", True), ("hits=5:20", False), ("memory=1", True), ("behind=0:", False)])
def test_ranges_are_those_of_the_plugin_guidelines(running, limit, bad):
    running.daemon.hits(9)
    eventually(lambda: running.redis.numbers().total("a") == 9)
    text, data = check(running, "--warning", limit, code=int(bad))
    name, given = limit.split("=")
    assert data[name][2] == given and (name in text) == bad or not bad
    check(running, "--critical", limit, "--warning=hits=0:1000", code=2 * bad)


def test_check_without_something(running, world):
    text, _ = check(running, "--warning", "hats=3", code=3)
    assert '"hats=3" is no threshold' in text
    for wrong in ("hits", "hits=", "hits=x", "hits=3:x", "hits=5:3", "hits=3 "):
        check(running, "--critical", wrong, code=3)
    assert "there is no site" in check(running, "-s", "nobody", code=3)[0]
    assert "cannot be read" in check(running, "-c", "/nonexistent", code=3)[0]
    assert check(running, "-o", f"redis=unix:{world.path('nothing')}", code=2)[0].startswith("cannot connect to Redis")
    running.redis.numbers().client.config_set("maxmemory-policy", "allkeys-lru")
    running.daemon.stop()
    running.daemon.start()
    assert "redis_setup" in check(running, code=1)[0]
    running.daemon.stop()
    text, data = check(running, code=2)
    assert "nothing answers" in text and "age" not in data and data["hits"][0] == 0, "Redis itself is asked"


class UnixServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def test_what_a_daemon_says_cannot_break_the_line(running, world):
    loud = "a|b=9;\n\x1b[2J\u202e"

    class Handler(http.server.BaseHTTPRequestHandler):
        def address_string(self):
            return "unix"

        def log_message(self, *_):
            pass

        def do_GET(self):
            body = json.dumps({"status": "degraded", "problems": [{"problem": "x", "text": loud}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)
    server = UnixServer(world.path("admin"), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    text, data = check(running, "-o", f"admin_listen=unix:{world.path('admin')}", code=1)
    assert text == "x: a,b=9,  \ufffd[2J\ufffd".replace("  ", " ") and "b" not in data
    shown = running.terminal("-o", f"admin_listen=unix:{world.path('admin')}", "status")
    assert "\x1b" not in shown and "\u202e" not in shown
    server.shutdown()
    server.server_close()


# --- config ---

@pytest.fixture
def cli(world):
    redis = world.redis()
    return Cli(world, redis, conf='workers = 2\n\njournal {\n  max_size = "64MiB"\n}\nlimits { connections = 10000 }\ninclude("more.conf")',
               sites='site "a" {\n  hosts = {"a.example"}\n  rows = {"today",\n    "total"}\n  public = {}\n}\n')


def origins(cli, *words, env=None):
    return {row["key"]: (row["value"], row["origin"]) for row in cli.rows("config", *words, env=env)}


def test_config_says_what_is_in_force_and_where_it_comes_from(cli, world):
    with open(world.path("more.conf"), "w") as f:
        f.write('\nlog_level = "warn"\nsite "b" { hosts = {"b.example", "c.example"} exclude = {"10.0.0.0/8"} }\n')
    conf = cli.conf
    found = origins(cli)
    listing = subprocess.run([THONGKED, "--keys"], capture_output=True, text=True, check=True).stdout.splitlines()
    names = [line.split("\t")[0] for line in listing]
    assert list(found) == [name for name in names if not name.startswith("site.")] + [
        name.replace("site.", f"site.{site}.") for site in ("b", "a") for name in names if name.startswith("site.")]
    assert found["workers"] == ("2", f"{conf}:3") and found["journal.max_size"] == ("64MiB", f"{conf}:6")
    assert found["limits.connections"] == ("10000", f"{conf}:8"), "a default that somebody wrote down"
    assert found["log_level"] == ("warn", f"{world.path('more.conf')}:2")
    assert found["site.b.hosts"] == ("b.example,c.example", f"{world.path('more.conf')}:3")
    assert found["site.b.exclude"] == ("10.0.0.0/8", f"{world.path('more.conf')}:3")
    assert found["site.a.rows"][0] == "today,total" and re.fullmatch(rf"{re.escape(conf)}:1[23]", found["site.a.rows"][1])
    assert found["site.a.public"] == ("", conf), "an empty list has no line of its own"
    assert found["site.b.rows"] == ("today,yesterday,month,year", "default") and found["listen"][1] == "default"
    assert found["journal.sync"] == ("everysec", "default") and found["demo"] == ("false", "default")


def test_config_of_environment_and_options(cli, world):
    open(world.path("more.conf"), "w").close()
    env = {"THONGKE_WORKERS": "3", "THONGKE_JOURNAL_SYNC": "no", "THONGKE_SITE_A_LANGUAGE": "en"}
    found = origins(cli, "-o", "journal.sync=always", "-o", "site.a.metric=visits", env=env)
    assert found["workers"] == ("3", "THONGKE_WORKERS") and found["journal.sync"] == ("always", "-o")
    assert found["site.a.language"] == ("en", "THONGKE_SITE_A_LANGUAGE") and found["site.a.metric"] == ("visits", "-o")


def test_config_that_differs(cli, world):
    open(world.path("more.conf"), "w").close()
    assert set(origins(cli, "--diff")) == {"state_dir", "redis", "workers", "journal.max_size", "site.a.hosts", "site.a.rows",
                                           "site.a.public"}
    assert "workers" not in origins(cli, "--diff", "-o", "workers=0")
    assert "trusted_proxies" in origins(cli, "--diff", "-o", "trusted_proxies=127.0.0.0/8,::1/128")


def test_config_keeps_passwords(cli, world):
    open(world.path("more.conf"), "w").close()
    for rendering in ("--table", "--json", "--csv", "--ndjson", "--oneline", "--prom"):
        said = cli.run("config", "-o", "redis=redis://user:s3cr@t:x@127.0.0.1:1/2", rendering)
        assert "s3cr" not in said and ("user:***@127.0.0.1:1/2" in said or rendering == "--oneline")
    assert cli.run("config", "-o", "workers=x", code=3) == ""


def test_config_for_people_has_a_table_for_each_site(cli, world):
    open(world.path("more.conf"), "w").close()
    lines = cli.terminal("config").splitlines()
    assert "a" in lines and any(line.startswith("rows ") for line in lines) and max(map(len, lines)) <= 80


# --- completion ---

PATH = os.pathsep.join([os.path.dirname(THONGKE), os.environ["PATH"]])


def complete_in_bash(script, *words):
    program = f'source {script}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _thongke\nprintf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "-c", program, "bash", *words], capture_output=True, text=True, env={**os.environ, "PATH": PATH})
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.split()


def complete_in_fish(script, *words):
    line = " ".join(words)
    done = subprocess.run(["fish", "-N", "-c", f"source {script}; complete -C '{line}'"], capture_output=True, text=True,
                          env={**os.environ, "PATH": PATH, "HOME": os.path.dirname(script)})
    assert done.returncode == 0, done.stderr
    return [row.split("\t")[0] for row in done.stdout.splitlines()]


def complete_in_zsh(script, *words):
    """What Tab makes of the line in a zsh that somebody types in, where it is certain."""
    master, slave = pty.openpty()
    shell = subprocess.Popen(["zsh", "-f", "-i"], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                             env={**os.environ, "PATH": PATH, "TERM": "dumb", "PS1": "> ", "HOME": os.path.dirname(script)})
    os.close(slave)
    shown = b""

    def until(end, seconds=20):
        nonlocal shown
        stop = time.monotonic() + seconds
        while end not in shown and time.monotonic() < stop:
            if select.select([master], [], [], 0.1)[0]:
                shown += os.read(master, 65536)
        assert end in shown, shown
    # From the second line on, Enter shows the line instead of running it.
    show = "accept-line() { print -r -- \\<\\<$BUFFER\\>\\>; zle .kill-buffer; }; zle -N accept-line"
    os.write(master, f"autoload -U compinit; compinit -u -D; source {script}; {show}; echo rea''dy\n".encode())
    until(b"ready\r\n")
    os.write(master, " ".join(words).encode() + b"\t\n")
    until(b">>\r")
    shell.kill()
    shell.wait()
    os.close(master)
    line = shown.decode(errors="replace").split("<<")[-1].split(">>")[0]
    return [line.split()[-1].rstrip("=")]


SHELLS = {"bash": complete_in_bash, "fish": complete_in_fish, "zsh": complete_in_zsh}


@pytest.fixture(params=SHELLS)
def complete(request, world):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    cli = Cli(world, world.redis())
    script = world.path("_thongke")
    with open(script, "w") as f:
        f.write(cli.run("completion", request.param))
    return lambda *words: SHELLS[request.param](script, *words), cli


def test_shells_complete_what_the_tables_say(complete):
    ask, cli = complete
    with open(cli.conf, "a") as f:
        f.write('site "long.name" { hosts = {"l.example"} }\n')
    assert ask("thongke", "da") == ["days"]
    assert ask("thongke", "top", "ref") in (["referrers", "refused"], ["referrers"], ["ref"])
    assert ask("thongke", "top", "refe") == ["referrers"]
    assert ask("thongke", "journal", "ve") == ["verify"]
    assert ask("thongke", "days", "--metr") == ["--metric"]
    assert ask("thongke", "days", "--metric", "visito") == ["visitors"]
    assert ask("thongke", "-c", cli.conf, "days", "-s", "lo") == ["long.name"]
    assert ask("thongke", "days", "-c", cli.conf[:-2]) == [cli.conf]


def test_bash_knows_every_command_and_its_options(world):
    cli = Cli(world, world.redis())
    script = world.path("c.bash")
    with open(script, "w") as f:
        f.write(cli.run("completion", "bash"))
    said = cli.run("--help")
    commands = re.findall(r"^  (\w+) ", said.split("options, in any place")[0], re.M)
    options = re.findall(r"^  (?:-\w,|   ) --([a-z-]+)", said, re.M)
    assert len(commands) > 15 and set(complete_in_bash(script, "thongke", "")) == set(commands)
    for command in commands:
        offered = [word.removeprefix("--") for word in complete_in_bash(script, "thongke", command, "--")]
        for option in options:
            done = subprocess.run([THONGKE, command, f"--{option}", *(["x"] * 3)], capture_output=True, text=True, env=cli.environment())
            refused = f"{command} takes no --{option}" in done.stderr
            assert (option in offered) != refused, (command, option, done.stderr)


def test_names_of_sites_need_no_redis(world):
    cli = Cli(world, world.redis())
    cli.redis.stop()
    assert cli.run("completion", "sites") == "a\nb\n"
    assert cli.run("completion", "csh", code=2) == "" and cli.run("completion", code=2) == ""
    assert cli.run("completion", "sites", "-c", "/nonexistent", code=3) == ""
