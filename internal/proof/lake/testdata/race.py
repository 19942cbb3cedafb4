"""Appends and merges with deltalake, one commit each, as long as others do: race.py URL FIRST COUNT KEY=VALUE...

Appends bring a row with an id of their own. Merges add one to the counter of a row that all share, and bring a row of
their own too. What was acknowledged is printed: "append ID" and "merge COUNTER ID". A commit that deltalake gives up
is tried again, and counted. It begins when a line comes from standard input, and ends with all rows as it reads them, and "end".
"""
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

url, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = dict(kv.split("=", 1) for kv in sys.argv[4:]) or None


def rows(*pairs):
    return pa.table({"id": pa.array([p[0] for p in pairs], pa.int64()), "n": pa.array([p[1] for p in pairs], pa.int64())})


def append(i):
    write_deltalake(DeltaTable(url, storage_options=options), rows((i, 1)), mode="append")
    return f"append {i}"


def merge(i):
    counter = i % 3
    (DeltaTable(url, storage_options=options)
     .merge(rows((counter, 1), (i, 1)), predicate="t.id = s.id", source_alias="s", target_alias="t")
     .when_matched_update({"n": "t.n + 1"}).when_not_matched_insert_all().execute())
    return f"merge {counter} {i}"


print("ready", flush=True)
sys.stdin.readline()
given_up = 0
for i in range(first, first + count):
    for _ in range(100):
        try:
            print(append(i) if i % 2 else merge(i), flush=True)
            break
        except CommitFailedError:
            given_up += 1
    else:
        print("never", i, flush=True)
print("given-up", given_up, flush=True)
if not sys.stdin.readline():  # the others have ended
    sys.exit("no line came")
table = DeltaTable(url, storage_options=options).to_pyarrow_table().to_pydict()
for i, n in sorted(zip(table["id"], table["n"])):
    print("row", i, n, flush=True)
print("end", flush=True)
os._exit(0)  # threads of the libraries may abort the interpreter while it takes itself apart
