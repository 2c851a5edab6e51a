# SPDX-License-Identifier: BSD-2-Clause
"""`make run`, as a newcomer meets it: a page with a counter, Ctrl-C ends all of it, the counts stay."""
import os
import re
import signal
import socket
import subprocess
import http.client

from world import BROWSER, ROOT, Answer, Numbers, alive, eventually, free_port


class MakeRun:
    """`make run` in a process group of its own, as a terminal's foreground job is."""

    def __init__(self, state, port, admin_port):
        self.state, self.port = state, port
        arguments = f"-o state_dir={state} -o admin_listen=127.0.0.1:{admin_port}"
        environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        self.process = subprocess.Popen(["make", "run", f"ADDRESS=127.0.0.1:{port}", "ARGS=" + arguments], cwd=ROOT, env=environment, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True)

    def get(self, target):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", target, headers=BROWSER)
        return Answer(connection.getresponse())

    def interrupt(self):
        """Ctrl-C; everything that was said."""
        redis = Numbers(os.path.join(self.state, "redis", "redis.sock")).pid()
        os.killpg(self.process.pid, signal.SIGINT)
        said, _ = self.process.communicate(timeout=30)
        assert not alive(redis)
        return said


def start(world, state):
    run = MakeRun(state, free_port(), free_port())
    world.started.append(run.process.kill)
    eventually(lambda: run.get("/demo").status == 200, seconds=120)
    return run


def test_demo_counts_and_keeps_its_counts(world):
    state = world.path("run")
    run = start(world, state)
    page = run.get("/demo").body.decode()
    assert 'class="thongke"' in page and "thongke.js" in page
    assert run.get(f"/hit?u=http://localhost:{run.port}/demo").json["hits"]["today"] == 1
    assert run.get(f"/hit?u=http://127.0.0.1:{run.port}/demo").json["hits"]["today"] == 2
    said = run.interrupt()
    assert f"http://127.0.0.1:{run.port}/demo" in said
    assert re.search(r"<script[^>]* src=\"?http://127.0.0.1:%d/thongke.js" % run.port, said), said

    run = start(world, state)
    assert run.get(f"/hit?u=http://[::1]:{run.port}/demo").json["hits"]["today"] == 3
    run.interrupt()


def test_port_in_use_is_one_sentence(world):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run = MakeRun(world.path("run"), port, free_port())
        world.started.append(run.process.kill)
        said, _ = run.process.communicate(timeout=120)
    assert run.process.returncode != 0
    sentences = [line for line in said.splitlines() if line.startswith("thongked: ")]
    assert len(sentences) == 1 and f"127.0.0.1:{port}" in sentences[0], said
