# SPDX-License-Identifier: BSD-2-Clause
"""Ports of 127.0.0.1 for the servers of tests."""
import random
import socket


def free_port():
    """Below the range that outgoing connections use, or one of them could take it before the server (again) does."""
    while True:
        port = random.SystemRandom().randint(18000, 30000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
