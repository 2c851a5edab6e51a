# SPDX-License-Identifier: BSD-2-Clause
"""The examples of the manual pages, run as they are written."""
import datetime
import glob
import os
import re
import subprocess

import pytest

from cli import THONGKE
from world import ROOT, eventually

EXAMPLES = [(os.path.basename(page), line) for page in sorted(glob.glob(os.path.join(ROOT, "man", "*")))
            for line in re.findall(r"^\.Dl \$ (.*)$", open(page).read(), re.MULTILINE)]


def test_there_are_examples():
    assert {page for page, _ in EXAMPLES} == {"thongke.1", "thongke.conf.5", "thongked.8"} and len(EXAMPLES) > 10


@pytest.mark.parametrize("page, line", EXAMPLES)
def test_example(world, page, line):
    daemon = world.thongked(redis=world.redis(), site='site "example" { hosts = {"example.org"} }\n')
    if " check " in line or " status" in line:
        daemon.start()
        daemon.redis.numbers().client.config_set("maxmemory-policy", "noeviction")
        daemon.hits(3, site="example")
        eventually(lambda: daemon.numbers().total("example") == 3)
    with open(os.path.join(daemon.dir, "access.log"), "w") as log:
        moment = datetime.datetime(2020, 5, 20, tzinfo=datetime.timezone.utc)
        log.write(f'192.0.2.1 - - [{moment:%d/%b/%Y:%H:%M:%S %z}] "GET /a HTTP/1.1" 200 1 "-" "Mozilla/5.0 (X11) Gecko Firefox/128.0"\n')
    path = os.pathsep.join([os.path.dirname(THONGKE), os.environ["PATH"]])
    env = {k: v for k, v in os.environ.items() if not k.startswith("THONGKE")}
    done = subprocess.run(line.replace("\\e", "\\").replace("--limit 10", "--limit 1"), shell=True, cwd=daemon.dir, capture_output=True,
                          text=True, timeout=60, env={**env, "PATH": path, "THONGKE_CONF": daemon.conf})
    assert done.returncode == 0, (done.stdout, done.stderr)
    written = re.search(r"> (\S+)$", line)
    assert os.path.getsize(os.path.join(daemon.dir, written[1])) if written else done.stdout or " -t " in line, line
