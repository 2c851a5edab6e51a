# SPDX-License-Identifier: BSD-2-Clause
"""What cannot work ends at the start, in one clear sentence; a configuration is checked as a whole."""
import os
import shutil
import signal
import socket
import subprocess

import pytest

from world import SITE, THONGKED, eventually


def refusal(daemon, *arguments, code=None, **options):
    """The one line with which it ends."""
    done = subprocess.run([daemon.program, "-c", daemon.conf, *arguments], capture_output=True, text=True, timeout=20,
                          cwd=daemon.dir, **options)
    assert done.returncode != 0 and done.returncode > 0, done
    said = [line for line in done.stderr.splitlines() if line.startswith("thongked: ")]
    assert len(said) == 1 and done.stderr.rstrip().endswith(said[0]), done.stderr
    return said[0]


@pytest.mark.parametrize("text, expected", [
    ('colour = "red"\n' + SITE, ["thongke.conf:5", "colour"]),
    ('workers = 9999\n' + SITE, ["thongke.conf:5", "workers", "256"]),
    ('journal { sync = "sometimes" }\n' + SITE, ["thongke.conf:5", "sync", "always", "everysec"]),
    ('redis = "somewhere"\n' + SITE, ["thongke.conf:5", "redis", "private", "unix:"]),
    ('log_level = "loud"\n' + SITE, ["thongke.conf:5", "log_level", "debug"]),
    (SITE + SITE, ["thongke.conf:6", "a"]),
    (SITE + 'site "b" { hosts = {"A.example"} }', ["thongke.conf:6", "a.example"]),
    ('site "b" { language = "vi" }', ["hosts"]),
    ('site "B!" { hosts = {"x"} }', ["thongke.conf:5", "B!"]),
    ('site "b" { hosts = {"x"} timezone = "Asia/Nowhere" }', ["thongke.conf:5", "timezone", "Asia/Nowhere"]),
    ('site "b" { hosts = {"x"} rows = {"tomorrow"} }', ["thongke.conf:5", "rows", "tomorrow", "yesterday"]),
    ('site "b" { hosts = {"x"}', ["thongke.conf:"]),
])
def test_bad_configuration_names_file_line_key_and_what_is_allowed(world, text, expected):
    daemon = world.thongked()
    with open(daemon.conf, "w") as f:
        f.write(f'state_dir = "{daemon.state}"\nlisten = {{"127.0.0.1:1"}}\nadmin_listen = {{"127.0.0.1:1"}}\n\n{text}')
    for arguments in ([], ["-t"]):
        sentence = refusal(daemon, *arguments)
        for word in expected:
            assert word in sentence, sentence
    assert not os.path.exists(daemon.state)


def test_check_of_a_good_file(world):
    daemon = world.thongked()
    done = subprocess.run([THONGKED, "-t", "-c", daemon.conf], capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    assert not os.path.exists(daemon.state)
    missing = subprocess.run([THONGKED, "-c", world.path("no.conf")], capture_output=True, text=True, timeout=20)
    assert missing.returncode > 0 and "no.conf" in missing.stderr


def test_environment_and_options_go_before_the_file(world):
    daemon = world.thongked('redis_prefix = "file"', env={"THONGKE_REDIS_PREFIX": "env", "THONGKE_JOURNAL_SYNC": "no"})
    daemon.launch("-o", "site.a.language=en")
    daemon.wait_ready()
    assert daemon.hit()["rows"][0]["label"] == "Today"
    eventually(lambda: any(key.startswith("env:") for key in daemon.numbers().client.keys("*")))
    daemon.stop()
    daemon.env["THONGKE_JOURNAL_SYNC"] = "perhaps"
    assert "sync" in refusal(daemon, env=daemon.env)
    daemon.env["THONGKE_JOURNAL_SYNC"] = "no"
    assert "journal.colour" in refusal(daemon, "-o", "journal.colour=red", env=daemon.env)


def test_port_in_use(world):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for key in ("listen", "admin_listen"):
            assert f"127.0.0.1:{port}" in refusal(world.thongked(name=key), "-o", f"{key}=127.0.0.1:{port}")


def test_port_of_another_thongked(world, daemon):
    assert f"127.0.0.1:{daemon.port}" in refusal(world.thongked(name="u"), "-o", f"listen=127.0.0.1:{daemon.port}")
    assert daemon.hit()["hits"]["total"] == 1


def test_no_redis_server(world):
    daemon = world.thongked()
    assert "redis-server" in refusal(daemon, env={"PATH": world.path("empty")})


def test_state_directory_that_cannot_be(world):
    daemon = world.thongked()
    assert daemon.conf in refusal(daemon, "-o", f"state_dir={daemon.conf}/state")


def test_no_write_permission(world):
    """As nobody where the tests run as root, whom no permission stops."""
    daemon = world.thongked()
    os.chmod(world.dir, 0o755)
    program = shutil.copy(THONGKED, world.path("thongked"))
    os.makedirs(daemon.state, mode=0o555)
    daemon.program = program
    options = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
    assert daemon.state in refusal(daemon, **options)


def test_reload_takes_new_sites_and_keeps_the_old_file_when_the_new_is_bad(world):
    daemon = world.thongked().start()
    daemon.hits(3)
    with open(daemon.conf, "a") as f:
        f.write('site "b" { hosts = {"b.example"} }\n')
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: daemon.get("/counts.json?s=b").status == 200)
    assert daemon.hit(site="b")["counted"] is True
    eventually(lambda: daemon.counts("b")["hits"]["total"] == 1)
    with open(daemon.conf, "a") as f:
        f.write("nonsense\n")
    seen = len(daemon.log())
    daemon.process.send_signal(signal.SIGHUP)
    eventually(lambda: "thongke.conf:" in daemon.log()[seen:], what="the log names the bad line")
    assert daemon.hit(site="b")["hits"]["total"] == 2
    assert daemon.counts()["hits"]["total"] == 3


def test_many_sites_in_included_files(world):
    daemon = world.thongked('include("conf.d/*.conf")')
    os.mkdir(os.path.join(daemon.dir, "conf.d"))
    for i in range(20):
        with open(os.path.join(daemon.dir, "conf.d", f"{i:02d}.conf"), "w") as f:
            f.write(f'site "s{i}" {{ hosts = {{"s{i}.example"}} }}\n')
    daemon.start()
    for i in range(20):
        assert daemon.hit(site=f"s{i}")["hits"]["total"] == 1
    eventually(lambda: all(daemon.numbers().total(f"s{i}") == 1 for i in range(20)))
