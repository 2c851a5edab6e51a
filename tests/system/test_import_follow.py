# SPDX-License-Identifier: BSD-2-Clause
"""`thongke import --follow`: lines are counted as they are written, through rotations of both kinds, until it is ended."""
import os
import signal

import pytest

from cli import Cli
from world import eventually

LINE = '203.0.113.{} - - [20/May/2020:10:{:02}:{:02} +0700] "GET /{} HTTP/1.1" 200 5 "-" ' \
       '"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"\n'


class Log:
    def __init__(self, path):
        self.path, self.count = path, 0
        self.file = open(path, "a")

    def write(self, lines):
        for _ in range(lines):
            self.file.write(LINE.format(self.count % 200, self.count // 60 % 60, self.count % 60, self.count))
            self.count += 1
        self.file.flush()

    def rename(self):
        """As logrotate does by default: the server goes on writing to the renamed file until it is told."""
        os.rename(self.path, self.path + ".1")
        self.write(3)
        self.file.close()
        self.file = open(self.path, "a")

    def copytruncate(self):
        self.file.truncate(0)


@pytest.fixture
def cli(world):
    return Cli(world, world.redis())


@pytest.fixture
def follow(cli):
    """Runs it until the test is over."""
    running = []

    def start(path):
        running.append(cli.start("import", "-s", "a", path, "--follow", "--tsv"))
        return running[-1]
    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def total(cli):
    return cli.redis.numbers().total("a")


def ended(process, how=signal.SIGTERM):
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    return [[int(n) for n in line.split("\t")[:7]] for line in out.decode().splitlines()]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_lines_are_counted_as_they_are_written(cli, world, follow, how):
    log = Log(world.path("log"))
    log.write(10)
    process = follow(log.path)
    eventually(lambda: total(cli) == 10)
    for _ in range(3):
        log.write(5)
        eventually(lambda: total(cli) == log.count)
    log.file.write("an unfinished li")
    log.file.flush()
    [row] = ended(process, how)
    assert row[:2] == [25, 25]
    process = follow(log.path)
    log.file.write("ne\n")
    log.write(2)
    eventually(lambda: total(cli) == log.count)
    assert ended(process) == [[28, 2, 0, 0, 0, 1, 25]]


def test_a_log_that_is_empty_at_first(cli, world, follow):
    log = Log(world.path("log"))
    process = follow(log.path)
    log.write(4)
    eventually(lambda: total(cli) == 4)
    ended(process)
    assert cli.rows("import", "-s", "a", log.path)[0]["already"] == 4


@pytest.mark.parametrize("rotate", [Log.rename, Log.copytruncate])
def test_rotation(cli, world, follow, rotate):
    """Who reads on over a rotation begins no visit. That a log was truncated shows while it is shorter than what was read."""
    log = Log(world.path("log"))
    log.write(300)
    process = follow(log.path)
    eventually(lambda: total(cli) == log.count)
    for lines in (60, 40):
        rotate(log)
        log.write(lines)
        eventually(lambda: total(cli) == log.count)
    rows = ended(process)
    assert len(rows) == 3 and sum(row[1] for row in rows) == log.count
    numbers = cli.redis.numbers()
    assert int(numbers.client.hget(numbers.key("a", "visits"), "all")) == 200


def test_a_name_that_is_gone_for_a_while(cli, world, follow):
    log = Log(world.path("log"))
    log.write(5)
    process = follow(log.path)
    eventually(lambda: total(cli) == 5)
    os.rename(log.path, log.path + ".old")
    log.write(2)
    eventually(lambda: total(cli) == 7)
    log = Log(log.path)
    log.count = 7
    log.write(3)
    eventually(lambda: total(cli) == 10)
    ended(process)


def test_killed_and_started_again(cli, world, follow):
    log = Log(world.path("log"))
    for _ in range(3):
        process = follow(log.path)
        log.write(200)
        eventually(lambda: total(cli) > log.count - 200)
        process.kill()
        process.communicate()
    process = follow(log.path)
    log.write(1)
    eventually(lambda: total(cli) == log.count)
    ended(process)


def test_what_does_not_grow(cli, world):
    with open(world.path("log"), "w") as f:
        f.write(LINE.format(1, 1, 1, 1))
    with open(world.path("log")) as f:
        cli.run("import", "-s", "a", "-", "--follow", code=1, stdin=f)
    for words in ([world.path("log")] * 2, [world.path("log"), "--dry-run"]):
        cli.run("import", "-s", "a", "--follow", *words, code=2)


def test_rotated_while_the_beginning_is_read(cli, world, follow):
    """It stands still in the middle of that, with Redis, until the log has another name."""
    log = Log(world.path("log"))
    log.write(60000)
    process = follow(log.path)
    eventually(lambda: total(cli) > 0)
    cli.redis.process.send_signal(signal.SIGSTOP)
    try:
        log.rename()
        log.write(50)
    finally:
        cli.redis.process.send_signal(signal.SIGCONT)
    eventually(lambda: total(cli) == log.count)
    ended(process)
