#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""table.py RESULTS: what the actions said, a row for each and a column for each runtime and manager."""
import collections
import sys

rows = [line.rstrip("\n").split(" ", 7) for line in open(sys.argv[1])]
guests = collections.OrderedDict()
for row in rows:
    guest, engine, manager, runtime, action, verdict = row[:6]
    guests.setdefault(guest, collections.OrderedDict()).setdefault(engine, collections.OrderedDict()).setdefault(
        action, {})[f"{runtime}/{manager}"] = verdict
for guest, engines in guests.items():
    columns = sorted({column for actions in engines.values() for cells in actions.values() for column in cells},
                     key=lambda column: (not column.startswith("davit"), column))
    print(f"\n{guest}".ljust(32), *(column.ljust(15) for column in columns))
    for engine, actions in sorted(engines.items()):
        print(engine)
        for action, cells in actions.items():
            print(f"  {action}".ljust(31), *(cells.get(column, "").ljust(15) for column in columns))
for row in rows:
    if row[5] != "ok":
        print(f"{row[5]}: {' '.join(row[:5])}: {row[7] if len(row) > 7 else ''}")
