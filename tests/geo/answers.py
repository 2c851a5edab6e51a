# SPDX-License-Identifier: BSD-2-Clause
"""What another reader, python3-maxminddb without libmaxminddb, says of addresses: "ADDRESS CODE" a line, "-": unknown.

Random addresses of FILE's family or families, and both ends of the networks that they are in."""
import ipaddress
import random
import sys

import maxminddb

reader = maxminddb.open_database(sys.argv[1], maxminddb.MODE_MMAP)
chance = random.Random(int(sys.argv[2]))
wanted = [ipaddress.IPv4Address(chance.getrandbits(32)) for _ in range(400)]
if reader.metadata().ip_version == 6:
    wanted += [ipaddress.IPv6Address(1 << 125 | chance.getrandbits(125)) for _ in range(200)]
    wanted += [ipaddress.IPv6Address(0x2001 << 112 | chance.getrandbits(112)) for _ in range(200)]
for address in wanted:
    _, length = reader.get_with_prefix_len(address)
    network = ipaddress.ip_network((address, max(length, 1)), strict=False)
    for known in (address, network[0], network[-1]):
        print(known, (reader.get(known) or {}).get("country_code", "-"))
