# SPDX-License-Identifier: BSD-2-Clause
"""A wall clock that a test moves: thongked sees it through libfaketime, its monotonic clock is real."""
import datetime
import glob
import math
import os
import time
import zoneinfo

from world import ROOT

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
# Preloading and the address sanitizer do not go together: these tests need the plain build.
PLAIN = os.path.join(ROOT, os.environ.get("THONGKED_PLAIN", "build/thongked"))


class Clock:
    def __init__(self, path):
        self.path = path
        self.options = {"program": PLAIN, "env": {
            "LD_PRELOAD": LIBRARY, "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_NO_CACHE": "1", "TZ": "UTC",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}}

    def set(self, text, zone="UTC"):
        """From now on it is this moment and goes on from there."""
        moment = datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(zone))
        # Rounded up: never a moment before it.
        offset = math.ceil(1000 * (moment.timestamp() - time.time())) / 1000
        with open(self.path + ".new", "w") as f:
            f.write(f"{offset:+.3f}\n")
        os.rename(self.path + ".new", self.path)
