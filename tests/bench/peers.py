# SPDX-License-Identifier: BSD-2-Clause
"""The servers that are compared: how each is started, and which processes do its work."""
import glob
import http.client
import os
import socket
import subprocess
import sys
import time

import redis

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "lib"))
from ports import free_port  # noqa: E402

SERVER_CPU, LOAD_CPU = 0, 1


def until(predicate, seconds, what):
    end = time.monotonic() + seconds
    while not (value := predicate()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)
    return value


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Process:
    """A program on the servers' core, with everything it starts."""

    def __init__(self, command, log, ready):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(log, "ab"),
                                        stderr=subprocess.STDOUT, start_new_session=True,
                                        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CPU}))
        try:
            until(lambda: self.process.poll() is not None or ready(), 20, command[0])
            if self.process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended: {open(log, encoding='utf-8').read()[-400:]}")
        except Exception:
            self.stop()
            raise

    def pids(self):
        """Ours and those that descend from it, in whichever session."""
        found = [self.process.pid]
        for pid in found:
            for task in glob.glob(f"/proc/{pid}/task/*/children"):
                found += [int(p) for p in open(task, encoding="ascii").read().split()]
        return found

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cpu_seconds(pid):
    """On-CPU time of all threads, to the nanosecond (Linux, Documentation/scheduler/sched-stats)."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        total += int(open(path, encoding="ascii").read().split()[0])
    return total / 1e9


def resident_mib(pid):
    for line in open(f"/proc/{pid}/smaps_rollup", encoding="ascii"):
        if line.startswith("Rss:"):
            return int(line.split()[1]) / 1024
    return 0.0


class Peer:
    """What they have in common: a port, the daemon's processes and its Redis' process."""
    path = None  # of the request, where it is not ours

    def __init__(self, directory):
        self.directory = directory
        self.port = free_port()
        self.processes = []
        os.makedirs(directory)

    def file(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def run(self, command, port):
        process = Process(command, os.path.join(self.directory, "log"), lambda: listens(port))
        self.processes.append(process)
        return process

    def start_redis(self):
        self.redis_port = free_port()
        self.run(["redis-server", "--port", str(self.redis_port), "--bind", "127.0.0.1", "--save", "", "--appendonly",
                  "yes", "--dir", self.directory], self.redis_port)
        self.redis = redis.Redis(port=self.redis_port)

    def usage(self):
        """CPU seconds of the server and of its Redis."""
        own = sum(cpu_seconds(p) for p in self.processes[-1].pids())
        return own, sum(cpu_seconds(p) for process in self.processes[:-1] for p in process.pids())

    def resident(self):
        return sum(resident_mib(p) for p in self.processes[-1].pids())

    def held(self):
        """Hits in its Redis; None for a server that counts nothing."""
        return None

    def calls(self):
        return None

    def stop(self):
        for process in reversed(self.processes):
            process.stop()


NGINX = """user root; worker_processes 1; daemon off; pid {dir}/pid; error_log {dir}/error warn; {modules}
events {{ worker_connections 4096; }}
http {{ keepalive_requests 100000000; access_log off;
  client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  lua_package_path '/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/nginx/?.lua;;';
  server {{ listen 127.0.0.1:{port} backlog=1024; location / {{ {work} }} }} }}
"""


class NginxGif(Peer):
    name = "nginx empty_gif"

    def __init__(self, directory):
        super().__init__(directory)
        self.start("empty_gif;", "")

    def start(self, work, modules):
        text = NGINX.format(dir=self.directory, port=self.port, work=work, modules=modules)
        if not modules:
            text = "".join(line for line in text.splitlines(True) if "lua_package_path" not in line)
        self.run(["nginx", "-c", self.file("nginx.conf", text)], self.port)


class NginxLua(NginxGif):
    """Counts a day, a month, a year and a visitor in one pipeline, as such scripts do."""
    name = "nginx+lua+Redis"

    def __init__(self, directory):
        Peer.__init__(self, directory)
        self.start_redis()
        script = self.file("hit.lua", f"""
            local r = require("nginx.redis"):new()
            r:set_timeout(1000)
            local ok, err = r:connect("127.0.0.1", {self.redis_port})
            if not ok then ngx.status = 503; ngx.say(err); return end
            local d = os.date("!%Y%m%d")
            r:init_pipeline()
            r:hincrby("d:" .. d, "site", 1)
            r:hincrby("m:" .. d:sub(1, 6), "site", 1)
            r:hincrby("y:" .. d:sub(1, 4), "site", 1)
            r:pfadd("u:" .. d, ngx.md5(ngx.var.remote_addr .. (ngx.var.http_user_agent or "")))
            local counts, failed = r:commit_pipeline()
            if not counts then ngx.status = 503; ngx.say(failed); return end
            r:set_keepalive(60000, 100)
            local body = require("cjson").encode({{ today = counts[1], month = counts[2], year = counts[3] }})
            ngx.header["Content-Type"] = "application/json"
            ngx.header["Content-Length"] = #body
            ngx.print(body)""")
        modules = "".join(f"load_module /usr/lib/nginx/modules/{m}_module.so; " for m in ("ndk_http", "ngx_http_lua"))
        self.start(f"content_by_lua_file {script};", modules)

    def held(self):
        return sum(int(self.redis.hget(key, "site")) for key in self.redis.keys("d:*"))


class Webdis(Peer):
    name = "webdis INCR"
    path = "/INCR/hits"

    def __init__(self, directory):
        super().__init__(directory)
        self.start_redis()
        conf = self.file("webdis.json", f"""{{"redis_host": "127.0.0.1", "redis_port": {self.redis_port},
            "http_host": "127.0.0.1", "http_port": {self.port}, "threads": 1, "pool_size": 8, "daemonize": false,
            "database": 0, "verbosity": 1, "logfile": "{self.directory}/webdis.log"}}""")
        self.run(["webdis", conf], self.port)

    def held(self):
        return int(self.redis.get("hits") or 0)


class Thongked(Peer):
    """With everything on: bots, countries where the tests' file is installed, limits (too high to refuse), the journal."""
    name = "thongked"
    countries = [os.path.abspath(path) for path in glob.glob("tests/geo/node_modules/@ip-location-db/*/dbip-country.mmdb")]
    sync = "everysec"
    sites = 100
    program = "build/thongked"

    def __init__(self, directory):
        super().__init__(directory)
        self.admin_port = free_port()
        sites = "".join(f'site "site{n}" {{ hosts = {{"site{n}.example.org"}} }}\n' for n in range(1, self.sites))
        countries = ", ".join(f'"{path}"' for path in self.countries)
        conf = self.file("thongke.conf", f"""state_dir = "{self.directory}/state"
            listen = {{"127.0.0.1:{self.port}"}}
            admin_listen = {{"127.0.0.1:{self.admin_port}"}}
            redis = "private"
            journal {{ sync = "{self.sync}" max_size = "4GiB" }}
            geoip = {{{countries}}}
            limits {{ hits_per_minute = 1000000 }}
            site "site0" {{ hosts = {{"site0.example.org", "example.org"}} }}
            {sites}""")
        self.run([self.program, "-c", conf], self.port)
        until(lambda: listens(self.admin_port) and self.admin("/readyz")[0] == 200, 10, "thongked to be ready")
        self.redis = redis.Redis(unix_socket_path=f"{self.directory}/state/redis/redis.sock")

    def admin(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=5)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def metric(self, name):
        for line in self.admin("/metrics")[1].splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)

    def usage(self):
        own = self.processes[0].process.pid
        return cpu_seconds(own), sum(cpu_seconds(p) for p in self.processes[0].pids() if p != own)

    def resident(self):
        return resident_mib(self.processes[0].process.pid)

    def held(self):
        until(lambda: self.metric("thongke_journal_lag_bytes") == 0, 60, "the journal to be handed over")
        keys = self.redis.keys("thongke:{*}:*:hits")
        return sum(int(self.redis.hget(key, "all") or 0) for key in keys)

    def calls(self):
        return self.metric("thongke_redis_calls_total")


class ThongkedAlways(Thongked):
    name = "thongked, sync = always"
    sync = "always"
