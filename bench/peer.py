"""The same work by deltalake (delta-rs), for a comparison in one session.

Usage: python3 bench/peer.py WORKLOAD PLACE    prints one JSON line
"""
import json, os, sys, time


def replay(place):
    from deltalake import DeltaTable
    return {"files": len(DeltaTable(place).file_uris())}


def upsert(place, kind):
    import pyarrow.parquet as pq
    from deltalake import DeltaTable
    source = pq.read_table(os.path.join(place, "_source_%s.parquet" % kind))
    m = (DeltaTable(place).merge(source, "t.l_orderkey = s.l_orderkey AND t.l_linenumber = s.l_linenumber",
                                 source_alias="s", target_alias="t")
         .when_matched_update_all().when_not_matched_insert_all().execute())
    return {"updated": m["num_target_rows_updated"], "inserted": m["num_target_rows_inserted"]}


def scan(place):
    from deltalake import DeltaTable
    return {"rows": DeltaTable(place).to_pyarrow_table().num_rows}


def append(place):
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake
    schema = pa.schema([("id", pa.int64()), ("writer", pa.int32()), ("name", pa.string()), ("at", pa.float64())])
    table = os.path.join(place, "appends")
    write_deltalake(table, schema.empty_table())
    t, n, rates, mark = DeltaTable(table), 1500, {}, time.time()
    start = time.time()
    for i in range(n):
        write_deltalake(t, pa.table({"id": [i], "writer": [0], "name": ["row %d" % i], "at": [i / 2]}, schema=schema), mode="append")
        if i in (50, n - 101):
            mark = time.time()
        if i == 150:
            rates["rate_at_100"] = 100 / (time.time() - mark)
        if i == n - 1:
            rates["rate_at_end"] = 100 / (time.time() - mark)
    rates["commits_per_s"] = n / (time.time() - start)
    return rates


work = {"replay": replay, "scan": scan, "append": append,
        "upsert-scattered": lambda p: upsert(p, "scattered"), "upsert-narrow": lambda p: upsert(p, "narrow")}
start = time.time()
extra = work[sys.argv[1]](sys.argv[2])
print(json.dumps({"wall_s": time.time() - start, "extra": {k: float(v) for k, v in extra.items()}}))
