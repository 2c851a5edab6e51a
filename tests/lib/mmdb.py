# SPDX-License-Identifier: BSD-2-Clause
"""Writes small MMDB files (MaxMind DB file format 2.0) for tests, in the shapes that real country and city files have.

From Python: write_mmdb(path, {"192.0.2.0/24": "VN"}, shape="flat"). As a program:
    mmdb.py FILE [shape=country] [record_size=24] [ip_version=6] NETWORK=CODE...
"""
import ipaddress
import struct
import sys

SEPARATOR, MARKER = bytes(16), b"\xab\xcd\xefMaxMind.com"
STRING, DOUBLE, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 3, 5, 6, 7, 9, 11


class Uint(int):
    """An integer with the type that the format stores it as."""
    def __new__(cls, value, kind):
        self = super().__new__(cls, value)
        self.kind = kind
        return self


def names(code):
    return {"en": f"the country {code}", "vi": f"nước {code}"}


def country(code):
    return {"geoname_id": Uint(1562822, UINT32), "iso_code": code, "names": names(code)}


# What a record says, by the databases' habits.
SHAPES = {
    "country": lambda code: {"continent": {"code": "AS", "names": names("AS")}, "country": country(code),
                             "registered_country": country("QQ")},
    "registered": lambda code: {"continent": {"code": "AS"}, "registered_country": country(code)},
    "flat": lambda code: {"country_code": code},
    "city": lambda code: {"city": {"names": {"en": "Hanoi"}}, "continent": {"code": "AS"}, "country": country(code),
                          "location": {"latitude": 21.03, "longitude": 105.85, "time_zone": "Asia/Ho_Chi_Minh"},
                          "subdivisions": [{"iso_code": "HN", "names": {"en": "Hanoi"}}]},
    "asn": lambda code: {"autonomous_system_number": Uint(45899, UINT32), "autonomous_system_organization": code},
    "number": lambda code: {"country": {"iso_code": Uint(84, UINT16)}},
}


class Data:
    """The data section. A text that was written before is pointed to, as real files do."""

    def __init__(self, pointers=True):
        self.bytes, self.seen, self.pointers = bytearray(), {}, pointers

    def control(self, kind, size):
        first = kind << 5 if kind <= 7 else 0
        extra = bytes([kind - 7]) if kind > 7 else b""
        assert size < 285
        self.bytes += bytes([first | min(size, 29)]) + extra + (bytes([size - 29]) if size >= 29 else b"")

    def put(self, value):
        if isinstance(value, str):
            self.put_text(value)
        elif isinstance(value, dict):
            self.control(MAP, len(value))
            for key, part in value.items():
                self.put(key)
                self.put(part)
        elif isinstance(value, list):
            self.control(ARRAY, len(value))
            for part in value:
                self.put(part)
        elif isinstance(value, float):
            self.control(DOUBLE, 8)
            self.bytes += struct.pack(">d", value)
        else:
            encoded = int(value).to_bytes((value.bit_length() + 7) // 8, "big")
            self.control(value.kind, len(encoded))
            self.bytes += encoded

    def put_text(self, text):
        at = self.seen.get(text)
        if at is not None and at < 1 << 11 and self.pointers:
            self.bytes += bytes([1 << 5 | at >> 8, at & 255])
            return
        self.seen.setdefault(text, len(self.bytes))
        encoded = text.encode()
        self.control(STRING, len(encoded))
        self.bytes += encoded


def insert(tree, network, ip_version, leaf):
    """A node is [left, right]; a half is None, a node, or the offset of a record. Larger networks come first."""
    bits, depth = network.network_address.packed, network.prefixlen
    if ip_version == 6 and network.version == 4:
        bits, depth = bytes(12) + bits, depth + 96
    for at in range(depth - 1):
        side = bits[at // 8] >> (7 - at % 8) & 1
        if not isinstance(tree[side], list):
            tree[side] = [tree[side], tree[side]]
        tree = tree[side]
    tree[bits[(depth - 1) // 8] >> (7 - (depth - 1) % 8) & 1] = leaf


def numbered(root):
    """The nodes in the order of the file."""
    nodes = [root]
    for node in nodes:
        nodes += [half for half in node if isinstance(half, list)]
    return nodes


def packed(left, right, record_size):
    if record_size == 28:
        return (left & 0xffffff).to_bytes(3, "big") + bytes([left >> 24 << 4 | right >> 24]) + \
            (right & 0xffffff).to_bytes(3, "big")
    return left.to_bytes(record_size // 8, "big") + right.to_bytes(record_size // 8, "big")


def mmdb(networks, shape="country", record_size=24, ip_version=6, built=1589958000):
    """The bytes of a file. `networks`: network → code, or → the whole record."""
    root, data, offsets = [None, None], Data(), {}
    for network, code in sorted(((ipaddress.ip_network(n), c) for n, c in networks.items()), key=lambda x: x[0].prefixlen):
        if str(code) not in offsets:
            offsets[str(code)] = len(data.bytes)
            data.put(SHAPES[shape](code) if isinstance(code, str) else code)
        insert(root, network, ip_version, offsets[str(code)])
    nodes = numbered(root)
    number = {id(node): i for i, node in enumerate(nodes)}

    def value(half):
        if half is None:
            return len(nodes)
        return number[id(half)] if isinstance(half, list) else len(nodes) + len(SEPARATOR) + half

    tree = b"".join(packed(value(left), value(right), record_size) for left, right in nodes)
    metadata = Data(pointers=False)
    metadata.put({"node_count": Uint(len(nodes), UINT32), "record_size": Uint(record_size, UINT16),
                  "ip_version": Uint(ip_version, UINT16), "database_type": f"thongke-test-{shape}", "languages": ["en"],
                  "binary_format_major_version": Uint(2, UINT16), "binary_format_minor_version": Uint(0, UINT16),
                  "build_epoch": Uint(built, UINT64), "description": {"en": "made by thongke's tests"}})
    return tree + SEPARATOR + bytes(data.bytes) + MARKER + bytes(metadata.bytes)


def write_mmdb(path, networks, **options):
    with open(path, "wb") as file:
        file.write(mmdb(networks, **options))


if __name__ == "__main__":
    given = dict(word.split("=") for word in sys.argv[2:])
    wanted = {key: kind(given.pop(key)) for key, kind in (("shape", str), ("record_size", int), ("ip_version", int))
              if key in given}
    write_mmdb(sys.argv[1], given, **wanted)
