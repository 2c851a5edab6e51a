# SPDX-License-Identifier: BSD-2-Clause
"""Real thongked and redis-server processes in a temporary directory, and how a test talks to them.

Nothing here sleeps for a fixed time: eventually() polls. Every process is stopped by the handle it was started with.
"""
import binascii
import datetime
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zoneinfo

import redis as redis_client

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.append(os.path.join(ROOT, "tests", "lib"))
from ports import free_port  # noqa: E402

THONGKED = os.path.join(ROOT, os.environ.get("THONGKED", "build/thongked"))
ZONE = zoneinfo.ZoneInfo("Asia/Ho_Chi_Minh")
SITE = 'site "a" { hosts = {"a.example"} }\n'
# A person's browser: who sends neither of these lines is a bot. Firefox 127 on Windows, in Vietnamese.
BROWSER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
           "Accept-Language": "vi,en-US;q=0.7,en;q=0.3"}
BROWSER_LINES = "".join(f"{name}: {value}\r\n" for name, value in BROWSER.items()).encode()
HEAD = b"Host: a.example\r\n" + BROWSER_LINES
# A program that ends early leaves its memory to the system; only an orderly end of thongked must leave nothing behind.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0"
PERIODS = ["today", "yesterday", "week", "last_week", "month", "last_month", "year", "last_year", "total"]


def eventually(check, seconds=15, what=None):
    """The first true result of check(), which may raise OSError or AssertionError until then."""
    end = time.monotonic() + seconds
    problem = None
    while True:
        try:
            result = check()
            if result:
                return result
            problem = None
        except (OSError, AssertionError, redis_client.RedisError, http.client.HTTPException) as error:
            problem = error
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what or check}; last: {problem!r}")
        time.sleep(0.01)


def own_address():
    """An IPv4 address of this machine besides loopback, or None. What is sent there never leaves the machine."""
    listing = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
    return next((address for address in listing if ":" not in address and not address.startswith("127.")), None)


def alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def shard(site):
    """CRC-16/XMODEM modulo 64; binascii calls it HQX."""
    return f"{binascii.crc_hqx(site.encode(), 0) % 64:02d}"


def today(zone=ZONE):
    return datetime.datetime.now(zone).date()


def near(visitors, distinct):
    """Whether a HyperLogLog may say so: its error is 0.81 %, and of a few people two may share a register."""
    return abs(visitors - distinct) <= (distinct > 3) + 0.03 * distinct


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Numbers:
    """What Redis holds, read with python-redis by the documented key names."""

    def __init__(self, path, prefix="thongke"):
        self.client = redis_client.Redis(unix_socket_path=path, decode_responses=True, socket_timeout=5)
        self.prefix = prefix

    def key(self, site, tail):
        return f"{self.prefix}:{{{shard(site)}}}:{site}:{tail}"

    def sums(self, site):
        """{"2020-W21": n, "2020-05": n, "2020": n, "all": n}"""
        return {k: int(v) for k, v in self.client.hgetall(self.key(site, "hits")).items()}

    def total(self, site):
        return self.sums(site).get("all", 0)

    def day(self, site, date):
        return int(self.client.hget(self.key(site, f"hits:{date.year}"), f"{date:%m-%d}") or 0)

    def hours(self, site, date):
        return {int(k): int(v) for k, v in self.client.hgetall(self.key(site, f"hours:{date}")).items()}

    def table(self, site, tail):
        return {k: int(v) for k, v in self.client.zrange(self.key(site, tail), 0, -1, withscores=True)}

    def pid(self):
        return self.client.info("server")["process_id"]


class Redis:
    """A redis-server that thongked did not start; append-only, so that a kill loses nothing."""

    def __init__(self, directory):
        self.dir = directory
        self.socket = os.path.join(directory, "r.sock")
        self.process = None
        os.makedirs(directory, exist_ok=True)

    def start(self):
        log = open(os.path.join(self.dir, "log"), "ab")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.dir,
             "--appendonly", "yes", "--appendfsync", "no", "--save", "", "--enable-debug-command", "yes"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        eventually(lambda: self.numbers().client.ping(), what="redis-server answers")
        return self

    def numbers(self):
        return Numbers(self.socket)

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class Thongked:
    def __init__(self, directory, conf, redis, site=SITE, program=THONGKED, env=None):
        self.dir = directory
        self.state = os.path.join(directory, "state")
        self.conf = os.path.join(directory, "thongke.conf")
        self.log_path = os.path.join(directory, "thongked.log")
        self.port, self.admin_port = free_port(), free_port()
        self.redis = redis
        self.program = program
        self.env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1", **(env or {})}
        self.process = None
        os.makedirs(directory, exist_ok=True)
        with open(self.conf, "w") as f:
            f.write(f'state_dir = "{self.state}"\n'
                    f'listen = {{"127.0.0.1:{self.port}"}}\nadmin_listen = {{"127.0.0.1:{self.admin_port}"}}\n')
            if "workers" not in conf:
                f.write("workers = 2\n")
            if redis:
                f.write(f'redis = "unix:{redis.socket}"\n')
            f.write(conf + "\n" + site)

    def launch(self, *arguments):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([self.program, "-c", self.conf, *arguments], env=self.env, cwd=self.dir,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def start(self, ready=200):
        """Until /readyz says `ready`; 503 is what it says while the counts are not known."""
        self.launch()
        self.wait_ready(ready)
        return self

    def wait_ready(self, status=200):
        def check():
            assert self.process.poll() is None, f"thongked ended with {self.process.returncode}: {self.log()}"
            return self.admin("/readyz").status == status
        try:
            eventually(check, what=f"/readyz says {status}")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        """The orderly end; a sanitizer's finding shows in the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        self.process = None
        assert code == 0, f"thongked ended with {code}: {self.log()}"

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def numbers(self):
        return self.redis.numbers() if self.redis else Numbers(os.path.join(self.state, "redis", "redis.sock"))

    def request(self, method, target, body=None, headers=None, port=None, address="127.0.0.1"):
        """From a person's browser; a header that is given goes before the browser's, and None leaves it out."""
        given = {name: value for name, value in {**BROWSER, **(headers or {})}.items() if value is not None}
        connection = http.client.HTTPConnection(address, port or self.port, timeout=10)
        try:
            connection.request(method, target, body=body, headers=given)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, target, **headers):
        """An underscore in a header's name stands for its hyphen."""
        return self.request("GET", target, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def admin(self, target):
        return self.request("GET", target, port=self.admin_port)

    def metric(self, name):
        """The sum of a metric's samples; None when it has none."""
        values = [float(line.rsplit(" ", 1)[1]) for line in self.admin("/metrics").body.decode().splitlines()
                  if line.startswith((name + " ", name + "{"))]
        return sum(values) if values else None

    def hit(self, page="/", site="a", **parameters):
        """Counts one hit; the JSON answer."""
        answer = self.get("/hit?" + urllib.parse.urlencode(dict(s=site, u=page, **parameters)))
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def hits(self, count, site="a", page="/"):
        """Many hits over one connection, each acknowledged before the next; the last JSON answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        answer = None
        for _ in range(count):
            connection.request("GET", "/hit?" + urllib.parse.urlencode(dict(s=site, u=page)), headers=BROWSER)
            answer = Answer(connection.getresponse())
            assert answer.status == 200, (answer.status, answer.body)
        connection.close()
        return answer.json

    def counts(self, site="a"):
        answer = self.get(f"/counts.json?s={site}")
        assert answer.status == 200, (answer.status, answer.body)
        return answer.json

    def raw(self, data):
        """Sends bytes, half-closes, and returns all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            chunks = []
            while chunk := s.recv(65536):
                chunks.append(chunk)
        return b"".join(chunks)


class World:
    def __init__(self):
        # Short: a unix socket's path has at most 107 bytes.
        self.dir = tempfile.mkdtemp(prefix="tk-")
        self.started = []
        self.daemons = []

    def path(self, name):
        return os.path.join(self.dir, name)

    def redis(self, name="redis"):
        server = Redis(self.path(name))
        self.started.append(server.stop)
        return server.start()

    def thongked(self, conf="", redis=None, name="t", **options):
        """Configured, not started."""
        daemon = Thongked(self.path(name), conf, redis, **options)
        self.started.append(daemon.kill)
        self.daemons.append(daemon)
        return daemon

    def close(self):
        for stop in reversed(self.started):
            stop()
        shutil.rmtree(self.dir, ignore_errors=True)
