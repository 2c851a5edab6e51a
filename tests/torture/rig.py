# SPDX-License-Identifier: BSD-2-Clause
"""The two processes under torture: a real redis-server and thongked, started, struck and asked."""
import collections
import glob
import http.client
import os
import signal
import subprocess
import sys
import time

import redis

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "lib"))
from ports import free_port  # noqa: E402

Counted = collections.namedtuple("Counted", "sites pages")


def until(predicate, seconds, what="", fail=True):
    """Polls; returns the last value, or raises TimeoutError when it stays false."""
    end = time.monotonic() + seconds
    while not (value := predicate()):
        if time.monotonic() > end:
            if fail:
                raise TimeoutError(f"waited {seconds} s for {what}")
            return value
        time.sleep(0.01)
    return value


def tear(path, rng):
    """Takes a random share of a file's end off; returns the bytes lost."""
    size = os.path.getsize(path)
    keep = size - int(size * rng.choice((0.001, 0.01, 0.1, 0.5, 1.0)) * rng.random())
    os.truncate(path, keep)
    return size - keep


class Redis:
    def __init__(self, directory):
        os.mkdir(directory)
        self.directory = directory
        self.socket = os.path.join(directory, "redis.sock")
        self.address = f"unix:{self.socket}"
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.directory, "--appendonly",
             "yes", "--appendfsync", "everysec", "--save", "", "--logfile", "redis.log"],
            cwd=self.directory, stdin=subprocess.DEVNULL)
        until(lambda: self.try_command("PING"), 20, "redis-server")

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def signal(self, number):
        self.process.send_signal(number)

    def connect(self):
        return redis.UnixDomainSocketConnection(path=self.socket, decode_responses=True, socket_timeout=10)

    def command(self, *words):
        with redis.Redis(unix_socket_path=self.socket, decode_responses=True, socket_timeout=10) as r:
            return r.execute_command(*words)

    def try_command(self, *words):
        try:
            return self.command(*words)
        except (redis.RedisError, OSError):
            return None

    def errors(self, kind):
        """How many errors of a kind it has answered."""
        with redis.Redis(unix_socket_path=self.socket, decode_responses=True, socket_timeout=10) as r:
            return int(r.info("errorstats").get(f"errorstat_{kind}", "count=0").partition("=")[2])

    def backup(self):
        """Every key and its dump, of one instant."""
        with redis.Redis(unix_socket_path=self.socket, socket_timeout=10) as r:
            flat = r.eval("""local all = {}
                for _, key in ipairs(redis.call('KEYS', '*')) do
                    all[#all + 1] = key
                    all[#all + 1] = redis.call('DUMP', key)
                end
                return all""", 0)
            return dict(zip(flat[::2], flat[1::2]))

    def restore(self, backup):
        with redis.Redis(unix_socket_path=self.socket, socket_timeout=10) as r, r.pipeline() as together:
            together.flushall()
            for key, dump in backup.items():
                together.restore(key, 0, dump)
            together.execute()

    def parts(self):
        """The append-only file's parts in the order they were written: more than one while it is rewritten."""
        folder = os.path.join(self.directory, "appendonlydir")
        return sorted(glob.glob(os.path.join(folder, "*.incr.aof")), key=lambda path: int(path.split(".")[-3]))

    def cut(self, rng):
        """What a power cut does to appendfsync everysec: the file loses its tail. Returns the bytes lost."""
        lost = tear(self.parts()[-1], rng)
        # Redis loads a file that ends inside a transaction's command, but leaves the half transaction in it, and at the
        # next load runs it together with what was appended behind. INSTALL says to do this after a power cut:
        manifest = os.path.join(self.directory, "appendonlydir", "appendonly.aof.manifest")
        subprocess.run(["redis-check-aof", "--fix", manifest], input=b"y\n", stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)
        return lost

    def counted(self, sites):
        """Hits per site and per (site, page), read from the keys themselves."""
        with redis.Redis(unix_socket_path=self.socket, decode_responses=True) as r:
            per_site, per_page = {}, collections.Counter()
            keys = {key.split(":", 2)[2]: key for key in r.scan_iter("thongke:{*", count=10000)}
            for site in sites:
                per_site[site] = int(r.hget(keys.get(f"{site}:hits", "-"), "all") or 0)
                for page, hits in r.zrange(keys.get(f"{site}:pages", "-"), 0, -1, withscores=True):
                    per_page[site, page] = int(hits)
            return Counted(per_site, per_page)


class PrivateRedis(Redis):
    """The one that thongked starts and ends itself: here it is only struck, cut and asked."""

    def __init__(self, state):  # the base class would make the directory
        self.directory = os.path.join(state, "redis")
        self.socket = os.path.join(self.directory, "redis.sock")
        self.address = "private"

    def start(self):
        pass

    def await_start(self):
        until(lambda: self.try_command("PING"), 20, "the private redis-server")

    def pids(self):
        """The server, and its child while it rewrites: no other process works in that directory."""
        found = []
        for link in glob.glob("/proc/[0-9]*/cwd"):
            try:
                found += [int(link.split("/")[2])] if os.readlink(link) == self.directory else []
            except OSError:
                continue
        return found

    def kill(self):
        def ended():
            pids = self.pids()
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not pids
        until(ended, 10, "the private redis-server to end")

    def cut(self, rng):
        """As after a power cut, and nobody mends it. Of two parts the older may have been the one not yet synced."""
        parts = self.parts()
        older = len(parts) > 1 and rng.random() < 0.5
        lost = tear(parts[-2 if older else -1], rng)
        while older and ends_whole(parts[-2]):  # which nobody could tell from a part that lost nothing
            os.truncate(parts[-2], os.path.getsize(parts[-2]) - 1)
            lost += 1
        return lost


def ends_whole(path):
    with open(path, "rb") as file:
        return file.read()[-1:] == b"\n"


class Daemon:
    def __init__(self, path, directory, redis_address, sites, port, admin_port):
        self.path, self.port, self.admin_port = path, port, admin_port
        self.conf = os.path.join(directory, "thongke.conf")
        self.log = open(os.path.join(directory, "thongked.log"), "ab")
        self.process = None
        self.before = collections.Counter()
        with open(self.conf, "w", encoding="ascii") as conf:
            conf.write(f'state_dir = "{directory}/state"\nlisten = {{"127.0.0.1:{port}"}}\n'
                       f'admin_listen = {{"127.0.0.1:{admin_port}"}}\nworkers = 3\nredis = "{redis_address}"\n')
            conf.writelines(f'site "{site}" {{ hosts = {{"{site}.example"}} }}\n' for site in sites)

    def start(self, inject=None, wait=True):
        command = [self.path, "-c", self.conf]
        if inject:
            call = inject.split(":")[0]
            command = ["strace", "-f", "-qq", "-e", f"trace={call}", "-e", "signal=none", "-o",
                       "/dev/null", "-e", f"inject={inject}", *command]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        start_new_session=True)
        if wait:
            until(lambda: not self.alive() or self.get("/healthz") is not None, 20, "thongked")

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """kill -9, of the tracer's group too where there is one."""
        if self.process is None:
            return
        if self.alive():
            self.note_metrics()
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def note_metrics(self):
        """Counters end with their process: their sum over all processes is kept here."""
        for line in (self.get("/metrics") or "").splitlines():
            name, _, value = line.rpartition(" ")
            if name.endswith("_total") and not line.startswith("#"):
                self.before[name] += float(value)

    def get(self, path, port=None):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port or self.admin_port, timeout=5)
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def metric(self, name):
        for line in (self.get("/metrics") or "").splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
        return None

    def metrics_sum(self, name):
        return self.before[name] + (self.metric(name) or 0)

    def shown(self, site):
        import json
        answer = self.get(f"/counts.json?s={site}", self.port)
        return json.loads(answer)["hits"]["total"] if answer else None
