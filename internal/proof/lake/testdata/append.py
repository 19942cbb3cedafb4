"""Appends rows with deltalake, one commit each: append.py URL FIRST COUNT KEY=VALUE..."""
import sys
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

url, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = dict(kv.split("=", 1) for kv in sys.argv[4:])
for i in range(first, first + count):
    try:
        write_deltalake(DeltaTable(url, storage_options=options), pa.table({"id": pa.array([i], pa.int64())}), mode="append")
        print("done", i, flush=True)
    except CommitFailedError as e:
        print("failed", i, e, flush=True)
rows = DeltaTable(url, storage_options=options).to_pyarrow_table()["id"].to_pylist()
print("rows", *sorted(rows))
