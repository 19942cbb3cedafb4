"""The same work by deltalake (delta-rs) and DuckDB, for a comparison in one session.

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


Q6 = "l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24"
COUNT = "l_shipmode = 'AIR' AND l_quantity >= 40"
QUERIES = {
    "scan": "SELECT * FROM t",
    "sum3": "SELECT sum(l_partkey) AS parts, sum(l_suppkey) AS suppliers, sum(l_linenumber) AS lines FROM t",
    "q6": "SELECT sum(l_extendedprice * l_discount) AS revenue FROM t WHERE " + Q6,
    "q1": """SELECT l_returnflag, l_linestatus, sum(l_quantity) AS quantity, sum(l_extendedprice) AS price, sum(l_extendedprice * (1 - l_discount)) AS discounted,
             sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS charged, avg(l_discount) AS discount, count(*) AS n
             FROM t WHERE l_shipdate <= DATE '1998-09-02' GROUP BY l_returnflag, l_linestatus ORDER BY 1, 2""",
    "point": "SELECT * FROM t WHERE l_orderkey = 750000",
    "count": "SELECT count(*) AS n FROM t WHERE " + COUNT,
}


def total(rows):
    """One figure from each numeric column: what the engines have to agree on."""
    return {k: sum(r[k] for r in rows) for k in (rows[0] if rows else {}) if not isinstance(rows[0][k], str)}


def query(place, name):
    from deltalake import DeltaTable, QueryBuilder
    out = QueryBuilder().register("t", DeltaTable(place)).execute(QUERIES[name]).read_all()
    return {"rows": out.num_rows} if name == "point" else total([dict(zip(out.schema.names, r)) for r in zip(*(c.to_pylist() if hasattr(c, "to_pylist") else list(c) for c in out.columns))])


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


def compact(place):
    from deltalake import DeltaTable
    m = DeltaTable(place).optimize.compact(target_size=1 << 30)
    return {"files_added": m["numFilesAdded"], "mb_added": m["filesAdded"]["totalSize"] / 1e6 if isinstance(m["filesAdded"], dict) else 0}


def resave(place):
    """Writes the table anew beside it, as deltalake writes: one file a commit, dictionaries, Snappy."""
    import pyarrow.parquet as pq
    from deltalake import DeltaTable, write_deltalake
    for uri in sorted(DeltaTable(place).file_uris()):
        write_deltalake(place + "-deltalake", pq.read_table(uri), mode="append")
    return {}


def zorder(place):
    from deltalake import DeltaTable
    m = DeltaTable(place).optimize.z_order(["l_partkey", "l_shipdate"])
    return {"files_added": m["numFilesAdded"], "mb_added": m["filesAdded"]["totalSize"] / 1e6 if isinstance(m["filesAdded"], dict) else 0}


def predicate(place):
    files = int(open(os.path.join(place, ".predicate")).read())
    return files // 2 * 1000, (files // 2 + max(files // 1000, 1)) * 1000


def log_open(place):
    from deltalake import DeltaTable
    return {"version": DeltaTable(place).version()}


def log_plan(place, where):
    from deltalake import DeltaTable
    return {"kept": len(DeltaTable(place).file_uris(file_pruning_predicate=where))}


def log_stats(place):
    return log_plan(place, "id >= %d AND id < %d" % predicate(place))


def log_part(place):
    return log_plan(place, "day = '2021-03-04'")


def checkpoint(place):
    from deltalake import DeltaTable
    DeltaTable(place).create_checkpoint()
    return {}


def vacuum_dry_run(place):
    from deltalake import DeltaTable
    return {"found": len(DeltaTable(place).vacuum(dry_run=True, full=True))}


def duck():
    import duckdb
    from duckdb_extensions import import_extension
    import_extension("delta")
    c = duckdb.connect(config={"threads": 2})
    c.execute("LOAD delta")
    return c


def duck_open(place):
    return {"columns": len(duck().execute("DESCRIBE SELECT * FROM delta_scan('%s')" % place).fetchall())}


def duck_list(place):
    return {"files": duck().execute("SELECT count(*) FROM delta_list_files('%s')" % place).fetchone()[0]}


def duck_plan(place, where):
    # The data files do not exist: the query ends when the first one is opened, after planning.
    import duckdb
    try:
        duck().execute("SELECT count(v) FROM delta_scan('%s') WHERE %s" % (place, where)).fetchall()
    except duckdb.IOException:
        pass
    return {"note": "planned up to the first data file, which does not exist"}


def duck_stats(place):
    return duck_plan(place, "id >= %d AND id < %d" % predicate(place))


def duck_part(place):
    return duck_plan(place, "day = DATE '2021-03-04'")


def duck_query(place, name):
    out = duck().execute(QUERIES[name].replace("FROM t", "FROM delta_scan('%s')" % place))
    if name in ("scan", "point"):
        return {"rows": sum(b.num_rows for b in out.fetch_record_batch(1 << 16))}
    names = [d[0] for d in out.description]
    return total([dict(zip(names, r)) for r in out.fetchall()])


def large_row():
    import datetime
    import pyarrow as pa
    return pa.table({"id": pa.array([-1], pa.int64()), "name": pa.array(["new"]), "v": [0.5], "day": pa.array([datetime.date(2019, 1, 1)])})


def large_append(place):
    from deltalake import write_deltalake
    write_deltalake(place, large_row(), mode="append")
    return {}


def large_merge(place):
    from deltalake import DeltaTable
    m = (DeltaTable(place).merge(large_row(), "t.id = s.id AND t.day = s.day", source_alias="s", target_alias="t")
         .when_matched_update_all().when_not_matched_insert_all().execute())
    return {"inserted": m["num_target_rows_inserted"]}


def large_delete(place):
    from deltalake import DeltaTable
    m = DeltaTable(place).delete("day = '2021-03-04'")
    return {"files_removed": m["num_removed_files"]}


TRIES = 10


def rows(first, count, step, at):
    import pyarrow as pa
    ids = [first + i * step for i in range(count)]
    return pa.table({"id": pa.array(ids, pa.int64()), "writer": pa.array([i // 1_000_000 for i in ids], pa.int32()),
                     "name": pa.array(["row %d" % i for i in ids], pa.string()), "at": pa.array([float(at)] * count, pa.float64())})


def one_append(t, w, n):
    from deltalake import write_deltalake
    write_deltalake(t, rows(w["number"] * 1_000_000 + n, 1, 1, 1), mode="append")
    return 1, 1


def one_merge(t, source):
    m = (t.merge(source, "t.id = s.id", source_alias="s", target_alias="t")
         .when_matched_update({"at": "t.at + s.at"}).when_not_matched_insert_all().execute())
    return m["num_target_rows_inserted"], m["num_target_rows_inserted"] + m["num_target_rows_updated"]


def one_update(t, w, n):
    m = t.update(updates={"at": "at + 1"}, predicate="id = %d" % ((n * 7919 + w["number"]) % w["rows"]))
    return 0, m["num_updated_rows"]


def one_optimize(t, w, n):
    t.optimize.compact()
    return 0, 0


ROLES = {"append": one_append, "update": one_update, "optimize": one_optimize,
         "merge": lambda t, w, n: one_merge(t, rows(w["number"] * 1_000_000 + n % 5, 1, 1, 1)),
         "bulk": lambda t, w, n: one_merge(t, rows(n, 1000, w["rows"] // 1000, 1))}


def persist(table, done, statement):
    """What a user of deltalake has to do: run the statement again with a fresh table when a commit failed."""
    from deltalake import DeltaTable
    from deltalake.exceptions import CommitFailedError
    done["statements"] += 1
    for attempt in range(TRIES):
        start = time.time()
        try:
            inserted, effects = statement(DeltaTable(table))
            done["inserted"], done["effects"] = done["inserted"] + inserted, done["effects"] + effects
            done["first_try"] += attempt == 0
            return
        except CommitFailedError:
            done["aborts"] += 1
            done["wasted_s"] += time.time() - start
        except Exception as e:  # anything else would stop a user's program
            if not done["failed"]:
                print("bench: deltalake:", e, file=sys.stderr)
            break
    done["failed"] += 1


def compete(w, gate, stop, told):
    from deltalake import DeltaTable, write_deltalake
    done = dict.fromkeys(["statements", "first_try", "failed", "aborts", "wasted_s", "inserted", "effects", "busy_s"], 0)
    DeltaTable(w["table"])
    gate.wait()
    start, n = time.time(), 0
    while n < w["each"] or w["each"] == 0 and not stop.is_set():
        if w["role"] == "optimize":  # the small files that it is for
            for i in range(10):
                def small(t):
                    write_deltalake(t, rows(w["number"] * 1_000_000 + (n * 10 + i) * 1000, 1000, 1, 0), mode="append")
                    return 1000, 0
                persist(w["table"], done, small)
                done["statements"] -= 1
        persist(w["table"], done, lambda t: ROLES[w["role"]](t, w, n))
        n += 1
    done["busy_s"] = time.time() - start
    told.put(done)


def contest(place):
    """Several writers of one table in processes of their own, as bench/contest.go has them."""
    import glob, multiprocessing
    from deltalake import DeltaTable, write_deltalake
    c = json.load(open(os.path.join(place, "contest.json")))
    table = os.path.join(place, "table")
    write_deltalake(table, rows(0, 0, 1, 0))
    for i in range(c["files"]):
        write_deltalake(table, rows(i * c["rows"], c["rows"], 1, 0), mode="append")
    m = multiprocessing.get_context("spawn")
    stop, told, writers = m.Event(), m.Queue(), []
    gate = m.Barrier(sum(r["writers"] for r in c["roles"]) + 1)
    for r in c["roles"]:
        for _ in range(r["writers"]):
            w = {"role": r["role"], "each": r["each"], "number": len(writers) + 1, "table": table, "rows": c["files"] * c["rows"]}
            writers.append((w, m.Process(target=compete, args=(w, gate, stop, told))))
            writers[-1][1].start()
    gate.wait()
    start = time.time()
    tallies = [told.get() for w, p in writers if w["each"] > 0]
    stop.set()
    tallies += [told.get() for w, p in writers if w["each"] == 0]
    for _, p in writers:
        p.join()
    wall = time.time() - start
    out = {k: sum(t[k] for t in tallies) for k in tallies[0]}
    log = "".join(open(f).read() for f in glob.glob(os.path.join(table, "_delta_log", "*.json")))
    files = [f for f in os.listdir(table) if f.endswith(".parquet")]
    at = DeltaTable(table).to_pyarrow_table(columns=["at"]).column("at").to_pylist()
    out["rows_wrong"] = abs(len(at) - c["files"] * c["rows"] - out.pop("inserted")) + abs(sum(at) - out.pop("effects"))
    out["twice_mb"] = sum(os.path.getsize(os.path.join(table, f)) for f in files if f not in log) / 1e6
    out["per_s"] = (out["statements"] - out["failed"]) / wall
    out["wasted_share"] = out.pop("wasted_s") / out.pop("busy_s")
    out["wall_s"] = wall
    return out


work = {"log-head": log_open, "log-open": log_open, "log-list": replay, "log-stats": log_stats, "log-part": log_part,
        "duckdb:log-open": duck_open, "duckdb:log-list": duck_list, "duckdb:log-stats": duck_stats, "duckdb:log-part": duck_part,
        "replay": replay, "resave": resave, "compact": compact, "zorder": zorder, "scan": scan, "append": append,
        "upsert-scattered": lambda p: upsert(p, "scattered"), "upsert-narrow": lambda p: upsert(p, "narrow")}
work.update({n: (lambda p, n=n: query(p, n)) for n in QUERIES if n != "scan"})
work.update({"duckdb:" + n: (lambda p, n=n: duck_query(p, n)) for n in QUERIES})
work["checkpoint"] = checkpoint
work["vacuum-dry-run"] = vacuum_dry_run
work["contest"] = contest
work.update({"large-append": large_append, "large-merge": large_merge, "large-delete": large_delete})
if __name__ == "__main__":
    start = time.time()
    extra = work[sys.argv[1]](sys.argv[2])
    note, wall = extra.pop("note", ""), extra.pop("wall_s", None) or time.time() - start
    print(json.dumps({"wall_s": wall, "extra": {k: float(v) for k, v in extra.items()}, "note": note}))
