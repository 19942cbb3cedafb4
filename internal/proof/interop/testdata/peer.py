"""What the other engine (delta-rs through its Python package) does for the interop tests.

peer.py read TABLE             rows of the newest version, one JSON object a line
peer.py changes TABLE          its change feed from version 1 on
peer.py write TABLE KIND       makes a table of a kind
peer.py serve                  answers requests, one JSON object a line: {"rows": TABLE}, or
                               {"table": TABLE, "delete": CONDITION} or {"update": {COLUMN: SQL}, "where": CONDITION},
                               with {"rows": [...]} or {"error": "..."}
peer.py delete TABLE CONDITION, peer.py append TABLE, peer.py optimize TABLE
"""
import base64
import datetime
import decimal
import json
import math
import os
import sys

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake


def plain(value, kind):
    if value is None:
        return None
    if pa.types.is_struct(kind):
        return {f.name: plain(value[f.name], f.type) for f in kind}
    if pa.types.is_map(kind):
        pairs = [[plain(k, kind.key_type), plain(v, kind.item_type)] for k, v in value]
        return sorted(pairs, key=lambda p: json.dumps(p[0]))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or "list_view" in str(kind):
        return [plain(v, kind.value_type) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, datetime.datetime):
        text = value.replace(tzinfo=None).strftime("%Y-%m-%dT%H:%M:%S.%f")
        text = text.rjust(26, "0")
        return text + ("Z" if value.tzinfo is not None else "")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def rows_of(path):
    reader = QueryBuilder().register("t", DeltaTable(path)).execute("select * from t")
    rows = pa.table(reader.read_all())
    columns = [(f.name, f.type, rows.column(i).to_pylist()) for i, f in enumerate(rows.schema)]
    return [{name: plain(values[i], kind) for name, kind, values in columns} for i in range(rows.num_rows)]


def read(path):
    for row in rows_of(path):
        print(json.dumps(row, ensure_ascii=False))


def serve():
    for line in sys.stdin:
        try:
            q = json.loads(line)
            if "delete" in q:
                DeltaTable(q["table"]).delete(q["delete"])
            if "update" in q:
                DeltaTable(q["table"]).update(updates=q["update"], predicate=q["where"])
            out = {"rows": rows_of(q.get("rows", q.get("table")))}
        except Exception as e:  # the test says what it thinks of it
            out = {"error": str(e)[:2000]}
        print(json.dumps(out, ensure_ascii=False), flush=True)


def changes(path):
    rows = pa.table(DeltaTable(path).load_cdf(starting_version=1)).drop_columns(["_commit_timestamp"])
    for row in rows.to_pylist():
        print(json.dumps(row, ensure_ascii=False))


def small(n, start=0):
    return pa.table({
        "k": pa.array(range(start, start + n), pa.int64()),
        "p": pa.array([["a", "b c", "ü/x=1%", None][i % 4] for i in range(n)], pa.string()),
        "v": pa.array([i * 10 for i in range(n)], pa.int32()),
    })


def wide():
    utc = datetime.timezone.utc
    return pa.table({
        "k": pa.array([1, 2, 3], pa.int64()),
        "b": pa.array([True, None, False], pa.bool_()),
        "i8": pa.array([-128, 127, None], pa.int8()),
        "i16": pa.array([-32768, 32767, None], pa.int16()),
        "i32": pa.array([-2**31, 2**31 - 1, None], pa.int32()),
        "f": pa.array([1.5, float("nan"), None], pa.float32()),
        "d": pa.array([-0.0, float("inf"), None], pa.float64()),
        "dec": pa.array([decimal.Decimal("-1.50"), decimal.Decimal("99999999.99"), None], pa.decimal128(10, 2)),
        "s": pa.array(["日本", "", None], pa.string()),
        "bin": pa.array([b"\x00\xff", b"", None], pa.binary()),
        "day": pa.array([datetime.date(1970, 1, 1), datetime.date(2024, 2, 29), None], pa.date32()),
        "ts": pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5, 678901, utc), datetime.datetime(1960, 1, 1, tzinfo=utc), None], pa.timestamp("us", "UTC")),
        "l": pa.array([[1, None], [], None], pa.list_(pa.int32())),
        "st": pa.array([{"x": 1, "y": "a"}, {"x": None, "y": None}, None], pa.struct([("x", pa.int32()), ("y", pa.string())])),
        "m": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int32())),
    })


def write(path, kind):
    if kind == "plain":
        write_deltalake(path, small(20))
        write_deltalake(path, small(5, 100), mode="append")
    elif kind == "partitioned":
        write_deltalake(path, small(20), partition_by=["p"])
        write_deltalake(path, small(5, 100), mode="append")
    elif kind == "wide":
        write_deltalake(path, wide())
    elif kind == "changed":
        write_deltalake(path, small(20), partition_by=["p"])
        table = DeltaTable(path)
        table.update(updates={"v": "v + 1"}, predicate="k > 10")
        table.delete("k = 3")
        table.merge(small(4, 18), predicate="t.k = s.k", source_alias="s", target_alias="t") \
            .when_matched_update_all().when_not_matched_insert_all().execute()
        table.create_checkpoint()
        table.optimize.compact()
    else:
        sys.exit("no such kind: " + kind)


def main(args):
    if args[0] == "read":
        read(args[1])
    elif args[0] == "serve":
        serve()
    elif args[0] == "changes":
        changes(args[1])
    elif args[0] == "write":
        write(args[1], args[2])
    elif args[0] == "delete":
        DeltaTable(args[1]).delete(args[2])
    elif args[0] == "append":
        write_deltalake(args[1], small(3, 1000), mode="append")
    elif args[0] == "optimize":
        DeltaTable(args[1]).optimize.compact()


main(sys.argv[1:])
sys.stdout.flush()
os._exit(0)  # threads of the libraries may abort the interpreter while it takes itself apart
