# SPDX-License-Identifier: BSD-2-Clause
"""What every command that reads counts says when Redis is away, closed, old or somebody else's: the right exit code, nothing on
standard output, and one sentence that says what to do."""
import re
import signal
import subprocess

import pytest
import redis

from cli import Cli
from world import eventually, free_port

COMMANDS = ["summary", "hours", "days", "weeks", "months", "years", "top pages", "counts", "live --limit 1"]


@pytest.fixture
def cli(world):
    redis = world.redis()
    numbers = redis.numbers()
    numbers.client.hset(numbers.key("a", "hits"), mapping={"2020": 5, "all": 5})
    return Cli(world, redis)


def refused(cli, command, code, *advice, options=()):
    words = [*options, *command.split()]
    if not command.startswith(("summary", "live")):
        words += ["-s", "a"]
    assert cli.run(*words, code=code) == ""
    assert re.fullmatch(r"thongke: [^\n]+\n", cli.said), cli.said
    for word in advice:
        assert word in cli.said, cli.said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_without_redis(cli, command):
    cli.redis.stop()
    refused(cli, command, 4, "start redis-server", "or mend redis in the configuration")
    refused(cli, command, 4, "start thongked", options=("-o", "redis=private"))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_without_the_password(cli, world, command):
    cli.redis.numbers().client.config_set("requirepass", "secret")
    refused(cli, command, 5, "NOAUTH", "redis_password_file")
    with open(world.path("password"), "w") as f:
        f.write("wrong\n")
    refused(cli, command, 5, "WRONGPASS", "mend user and password", options=("-o", f"redis_password_file={world.path('password')}"))
    assert "wrong\n" not in cli.said and "secret" not in cli.said


def test_a_password_that_nobody_wants(cli, world):
    with open(world.path("password"), "w") as f:
        f.write("secret\n")
    cli.redis.numbers().client.acl_setuser("default", enabled=True, nopass=False, passwords=["+other"], keys=["*"], commands=["+@all"])
    refused(cli, "days", 5, "WRONGPASS", options=("-o", f"redis_password_file={world.path('password')}"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("rights", ["+@all -hgetall -hget -hmget -zrevrange -zrange -multi", "+@all -info", "+@connection"])
def test_every_command_without_the_right(cli, world, command, rights):
    client = cli.redis.numbers().client
    client.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", *rights.split())
    target = f"redis://reader:pw@127.0.0.1:{port_of(cli)}"
    refused(cli, command, 5, "NOPERM", "ACL SETUSER", options=("-o", f"redis={target}"))


def port_of(cli):
    """The server listens on a socket alone until somebody needs more."""
    client = cli.redis.numbers().client
    if client.config_get("port")["port"] == "0":
        client.config_set("port", free_port())
    return client.config_get("port")["port"]


def test_keys_of_another_program(cli):
    numbers = cli.redis.numbers()
    numbers.client.set(numbers.key("a", "hits:2020"), "x")
    refused(cli, "days --from 2020-01-01 --to 2020-02-01", 5, "WRONGTYPE", "redis_prefix")
    numbers.client.delete(numbers.key("a", "hits"))
    numbers.client.set(numbers.key("a", "hits"), "x")
    for command in ("weeks", "months", "years"):
        refused(cli, command, 5, "WRONGTYPE", "redis_prefix")
    row = cli.rows("summary", "-s", "a")[0]
    assert (row["year"], row["total"], row["today"]) == (None, None, 0), "what can be read is shown"
    assert "·" in cli.run("summary", "-s", "a", "--table")
    numbers.client.set("thongke:meta", "x")
    for command in COMMANDS:
        refused(cli, command, 5, "WRONGTYPE", "redis_prefix")
    assert cli.json("days", "-s", "a", "-o", "redis_prefix=other")["rows"], "another prefix is another world"


def test_counts_of_another_version(cli):
    cli.redis.numbers().client.hset("thongke:meta", "schema", "2")
    for command in COMMANDS:
        refused(cli, command, 5, "schema", "same version")


def test_a_server_that_lacks_a_command(cli, world):
    """As a Redis of long ago, or one whose commands were renamed."""
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", world.path("old.sock"), "--save", "",
                               "--dir", world.dir, "--rename-command", "HGET", ""], stdout=subprocess.DEVNULL)
    world.started += [server.wait, server.kill]
    eventually(redis.Redis(unix_socket_path=world.path("old.sock")).ping)
    refused(cli, "days", 5, "unknown command", "Redis 6.2 or later", options=("-o", f"redis=unix:{world.path('old.sock')}"))


def test_a_server_that_hangs(cli):
    cli.redis.process.send_signal(signal.SIGSTOP)
    refused(cli, "days", 4, "did not answer within 3000 ms")
    cli.redis.process.send_signal(signal.SIGCONT)
