# SPDX-License-Identifier: BSD-2-Clause
"""`thongke live`: a row a second, in a pipe and in a real terminal, which is as before when it has ended."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from cli import Cli
from test_cli import columns
from world import eventually


class Screen:
    """A pseudo-terminal with the program in it."""

    def __init__(self, cli, *words, width=80, env=None):
        self.master, self.slave = pty.openpty()
        self.resize(width)
        self.before = termios.tcgetattr(self.slave)
        self.shown = b""

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(cli.command(*words), env=cli.environment({"TERM": "xterm", "NO_COLOR": "1", **(env or {})}),
                                        stdin=self.slave, stdout=self.slave, stderr=self.slave, preexec_fn=own_terminal)

    def resize(self, width):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def lines(self):
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536)
        return self.shown.decode().replace("\r\n", "\n").split("\n")[:-1]

    def until(self, check, seconds=30):
        end = time.monotonic() + seconds
        while not (found := check(self.lines())):
            assert time.monotonic() < end, self.lines()
            select.select([self.master], [], [], 0.1)
        return found

    def rows(self, count):
        return self.until(lambda lines: [line for line in lines if re.match(r"\d\d:\d\d:\d\d ", line)][:count]
                          if sum(bool(re.match(r"\d\d:", line)) for line in lines) >= count else None)

    def modes(self):
        return termios.tcgetattr(self.slave)[3]

    def end(self):
        code = self.process.wait(timeout=20)
        after = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        assert after == self.before, "the terminal is as it was found"
        return code


@pytest.fixture
def live(world):
    redis = world.redis()
    daemon = world.thongked(redis=redis, site='site "a" { hosts = {"a.example"} }\nsite "b" { hosts = {"b.example"} }\n').start()
    cli = Cli(world, redis)
    cli.conf, cli.daemon = daemon.conf, daemon
    return cli


def test_rows_in_a_pipe_are_what_happened(live):
    process = live.start("live", "-s", "a", "--ndjson", "--limit", "8")
    first = json.loads(process.stdout.readline())
    assert list(first) == ["time", "site", "hits", "visits", "online", "refused", "bots", "lag", "p99"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00", first["time"]) and first["site"] == "a"
    assert (first["hits"], first["visits"], first["online"]) == (0, 0, 0)
    live.daemon.hits(25)
    live.daemon.get("/hit?s=a&u=/", User_Agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    live.daemon.get("/hit?s=a&u=/", Origin="http://elsewhere.example")
    rows = [first, *map(json.loads, process.stdout.read().splitlines())]
    assert process.wait() == 0 and len(rows) == 8
    assert [sum(row[name] for row in rows) for name in ("hits", "visits", "bots", "refused")] == [25, 1, 1, 1]
    assert rows[-1]["online"] == 1 and all(row["lag"] in (0, 1, 2) for row in rows)
    measured = [row["p99"] for row in rows if row["p99"] is not None]
    assert measured and all(0.0001 <= value <= 1 for value in measured)


def test_what_is_not_measured_is_no_zero(live):
    live.daemon.stop()
    process = live.start("live", "--limit", "3", "--csv")
    process.stdout.readline()
    row = process.stdout.readline().decode().strip().split(",")
    assert row[1:] == ["(total)", "0", "0", "0", "0", "0", "", ""], "no daemon, no lag"
    live.redis.stop()
    rows = [line.split(",") for line in process.stdout.read().decode().splitlines()]
    assert process.wait() == 0 and len(rows) == 2, "the head stands once"
    assert rows[-1][2:] == [""] * 7, "it goes on without Redis"
    assert live.run("live", code=4) == ""


def test_several_sites_and_their_sum(live):
    process = live.start("live", "--all", "--limit", "4", "--tsv")
    read = [process.stdout.readline()]
    live.daemon.hits(7)
    for _ in range(3):
        live.daemon.hit(site="b")
    rows = [line.decode().split("\t") for line in [*read, *process.stdout.readlines()]]
    assert process.wait() == 0 and [row[1] for row in rows] == ["a", "b", "(total)"] * 4
    assert [sum(int(row[2]) for row in rows if row[1] == site) for site in ("a", "b", "(total)")] == [7, 3, 10]


@pytest.mark.parametrize("width,last", [(60, "chối"), (80, "p99"), (200, "p99")])
def test_a_terminal(live, width, last):
    screen = Screen(live, "live", "-s", "a", width=width)
    screen.rows(1)
    assert not screen.modes() & (termios.ECHO | termios.ICANON) and screen.modes() & termios.ISIG
    live.daemon.hits(30)
    screen.until(lambda lines: any("█" in line for line in lines[1:]))
    screen.rows(4)
    lines = screen.lines()
    assert lines[0].split()[:2] == ["Giờ", "Xem"] and lines[0].split()[-1] == last
    assert max(map(columns, lines)) <= width
    os.write(screen.master, b"xq")
    assert screen.end() == 0


def test_the_head_comes_again_after_another_size(live):
    screen = Screen(live, "live", "-s", "a")
    screen.rows(2)
    screen.resize(60)
    lines = screen.until(lambda lines: lines if sum(line.startswith("Giờ") for line in lines) == 2 else None)
    screen.until(lambda lines: not lines[-1].startswith("Giờ"))
    assert columns(screen.lines()[-1]) <= 60 and "p99" not in [line for line in lines if line.startswith("Giờ")][-1]
    os.write(screen.master, b"q")
    assert screen.end() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_give_the_terminal_back(live, how):
    screen = Screen(live, "live")
    screen.rows(1)
    if how == signal.SIGINT:
        os.write(screen.master, b"\x03")
    else:
        screen.process.send_signal(how)
    assert screen.end() == -how


def test_a_stop_gives_the_terminal_back_for_a_while(live):
    screen = Screen(live, "live")
    screen.rows(1)
    screen.process.send_signal(signal.SIGTSTP)
    eventually(lambda: screen.modes() & termios.ECHO)
    screen.process.send_signal(signal.SIGCONT)
    eventually(lambda: not screen.modes() & termios.ECHO)
    os.write(screen.master, b"q")
    assert screen.end() == 0


def test_a_reader_that_has_left_ends_it(live):
    process = live.start("live")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=20) == -signal.SIGPIPE and process.stderr.read() == b""


def test_rows_have_no_end_and_so_no_whole(live):
    for rendering in ("--oneline", "--prom"):
        assert live.run("live", rendering, code=2) == ""
