#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""messages.py TRACE: counts D-Bus messages in what strace -yy -xx saw on sockets, after the authentication."""
import collections
import re
import struct
import sys

KINDS = {1: "calls", 2: "replies", 3: "errors", 4: "signals"}
streams = collections.defaultdict(bytes)
for line in open(sys.argv[1], errors="replace"):
    found = re.match(r"(sendmsg|sendto|write|writev|recvmsg|recvfrom|read|readv)\((\d+)<([^>]*(?:->[^>]*)?)>", line)
    if not found or "UNIX" not in line:
        continue
    result = re.search(r"= (\d+)$", line.strip())
    if not result:
        continue
    data = b"".join(bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x[0-9a-f]{2})+)"', line))
    direction = "sent" if found.group(1)[0] in "sw" else "received"
    streams[found.group(2), direction] += data[:int(result.group(1))]
counts = collections.Counter()
for (_, direction), data in streams.items():
    start = re.search(rb"[lB][\x01-\x04][\x00-\x03]\x01", data)
    if not start or not (b"AUTH" in data or b"BEGIN" in data or b"OK " in data or b"org.freedesktop" in data):
        continue
    at = start.start()
    while at + 16 <= len(data) and data[at] in b"lB":
        order = "<" if data[at:at + 1] == b"l" else ">"
        body, _, fields = struct.unpack(order + "III", data[at + 4:at + 16])
        counts[direction, KINDS.get(data[at + 1], "other")] += 1
        at += 16 + (fields + 7) // 8 * 8 + body
print(", ".join(f"{number} {kind} {direction}" for (direction, kind), number in sorted(counts.items())) or "none")
