# SPDX-License-Identifier: BSD-2-Clause
"""A disk that is really full: a small tmpfs in a user namespace of its own, which needs no root. Where that is not allowed
(some containers) nothing can be said here, and the journal's unit test with failing calls is what is left."""
import http.client
import os
import subprocess

import pytest
from world import BROWSER, THONGKED, eventually

# The journal would like more than the disk has. A segment is an eighth of it, 512 KiB: three are the whole disk.
DISK = 3 * 512 << 10
CONF = 'workers = 1\njournal { max_size = "4MiB"  retain = "24h"  sync = "no" }'
MAY_MOUNT = subprocess.run(["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                           capture_output=True).returncode == 0


def on_a_small_disk(world, state):
    """A program that is thongked with `state` on a disk of its own, seen under /proc/PID/root."""
    path = world.path("thongked")
    os.makedirs(state)
    with open(path, "w") as script:
        script.write(f'#!/bin/sh\nexec unshare -Urm sh -c \'mount -t tmpfs -o size={DISK} none {state} && '
                     f'exec {THONGKED} "$@"\' sh "$@"\n')
    os.chmod(path, 0o755)
    return path


def hits(daemon, count):
    """Sends them over one connection until one is refused for want of room; how many were acknowledged."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=10)
    for n in range(count):
        connection.request("GET", f"/hit?s=a&u=/{'x' * 400}&q=1", headers=BROWSER)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 204:
            assert answer.status == 503
            return n
    return count


def free(daemon):
    disk = os.statvfs(f"/proc/{daemon.process.pid}/root{daemon.state}")
    return disk.f_bavail * disk.f_frsize


@pytest.mark.skipif(not MAY_MOUNT, reason="user namespaces are not allowed here")
def test_a_full_disk_lets_applied_segments_go(world):
    redis = world.redis()
    redis.stop()
    daemon = world.thongked(CONF, redis=redis)
    daemon.program = on_a_small_disk(world, daemon.state)
    daemon.start(ready=503)
    acknowledged = 0

    def all_arrive_and_more_are_taken():
        nonlocal acknowledged
        eventually(lambda: redis.numbers().total("a") == acknowledged)
        eventually(lambda: hits(daemon, 1) == 1)
        acknowledged += 1
        eventually(lambda: redis.numbers().total("a") == acknowledged)

    # Nothing is in Redis, so nothing may go: 503, and what was answered is not lost. It recovers by itself.
    for _ in range(2):
        acknowledged += hits(daemon, 100000)
        assert hits(daemon, 1) == 0
        assert free(daemon) < 512 << 10
        redis.start()
        all_arrive_and_more_are_taken()
        redis.stop()
    redis.start()

    # While Redis keeps up, what it has goes, long before 24 h and max_size.
    def ten_more_are_gone():
        nonlocal acknowledged
        acknowledged += hits(daemon, 500)
        eventually(lambda: redis.numbers().total("a") == acknowledged)
        return daemon.log().count("journal_segment_removed") >= before + 10
    before = daemon.log().count("journal_segment_removed")
    eventually(ten_more_are_gone, 30)
    all_arrive_and_more_are_taken()
    daemon.stop()
