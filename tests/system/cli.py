# SPDX-License-Identifier: BSD-2-Clause
"""The command line in tests: a configuration over a redis-server, and runs of `thongke` with it."""
import fcntl
import glob
import json
import os
import pty
import struct
import subprocess
import termios

from world import ROOT, THONGKED

THONGKE = os.path.join(os.path.dirname(THONGKED), "thongke")
# Preloading and the address sanitizer do not go together: a frozen clock needs the plain build.
PLAIN = os.path.join(ROOT, os.path.dirname(os.environ.get("THONGKED_PLAIN", "build/thongked")), "thongke")
FAKETIME = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
SITES = 'site "a" { hosts = {"a.example"} }\nsite "b" { hosts = {"b.example"} language = "en" timezone = "UTC" }\n'


class Cli:
    def __init__(self, world, redis, sites=SITES, conf=""):
        self.state = world.path("state")
        self.conf = world.path("thongke.conf")
        self.redis = redis
        self.at = None
        with open(self.conf, "w") as f:
            f.write(f'state_dir = "{self.state}"\nredis = "unix:{redis.socket}"\n{conf}\n{sites}')

    def frozen(self, moment):
        """From now on it is this moment (UTC)."""
        self.at = moment
        return self

    def environment(self, env=None):
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("THONGKE", "COLUMNS", "NO_COLOR"))}
        if self.at:
            keep.update(LD_PRELOAD=FAKETIME, FAKETIME=self.at, TZ="UTC", FAKETIME_DONT_FAKE_MONOTONIC="1")
        return {**keep, **(env or {})}

    def command(self, *words):
        return [PLAIN if self.at else THONGKE, "-c", self.conf, *words]

    def run(self, *words, code=0, env=None, **options):
        """stdout of a run that ends with `code`; what it says on stderr is at most one sentence when it fails."""
        done = subprocess.run(self.command(*words), env=self.environment(env), timeout=120, capture_output=True,
                              stdin=options.pop("stdin", subprocess.DEVNULL), **options)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        if code:
            said = done.stderr.decode().splitlines()
            assert said and said[-1].startswith("thongke: "), done.stderr
        self.said = done.stderr.decode()
        return done.stdout.decode()

    def json(self, *words, **options):
        return json.loads(self.run(*words, "--json", **options))

    def rows(self, *words, **options):
        return self.json(*words, **options)["rows"]

    def start(self, *words):
        return subprocess.Popen(self.command(*words), env=self.environment(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def terminal(self, *words, columns=80, env=None):
        """What a terminal shows of stdout and stderr together."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        process = subprocess.Popen(self.command(*words), env=self.environment({"TERM": "xterm", **(env or {})}),
                                   stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        shown = b""
        while True:
            try:
                data = os.read(master, 65536)
            except OSError:
                break
            if not data:
                break
            shown += data
        os.close(master)
        assert process.wait(timeout=60) == 0, shown
        return shown.decode().replace("\r\n", "\n")
