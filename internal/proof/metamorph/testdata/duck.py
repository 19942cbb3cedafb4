"""DuckDB's extension delta reads tables: {"rows": TABLE} a line, answered by {"rows": [...]} or {"error": "..."}."""
import base64
import datetime
import decimal
import json
import math
import sys

import duckdb


def plain(v):
    if isinstance(v, (bytes, bytearray)):
        return base64.b64encode(bytes(v)).decode()
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, float) and not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0")
    if isinstance(v, datetime.date):
        return v.isoformat()
    if isinstance(v, list):
        return [plain(x) for x in v]
    return v


def shaped(v, kind):
    """Gives maps, which DuckDB hands out as dicts, the form of lists of pairs."""
    if v is None:
        return None
    if kind.id == "map":
        inner = dict(kind.children)
        if "key" in v and "value" in v and isinstance(v["key"], list):
            v = dict(zip(v["key"], v["value"]))
        return sorted(([shaped(k, inner["key"]), shaped(x, inner["value"])] for k, x in v.items()), key=lambda p: json.dumps(p[0]))
    if kind.id == "struct":
        return {name: shaped(v[name], inner) for name, inner in kind.children}
    if kind.id == "list":
        return [shaped(x, kind.children[0][1]) for x in v]
    return plain(v)


def main():
    db = duckdb.connect()
    db.execute("INSTALL delta; LOAD delta; SET TimeZone = 'UTC'")
    for line in sys.stdin:
        try:
            table = db.sql("SELECT * FROM delta_scan('" + json.loads(line)["rows"].replace("'", "''") + "')")
            columns, types = table.columns, table.types
            # Times with a zone are read without: Python would want another package for zones.
            zoned = [str(t) == "TIMESTAMP WITH TIME ZONE" for t in types]
            table = table.project(", ".join(f'"{c}"' + (" AT TIME ZONE 'UTC'" if z else "") for c, z in zip(columns, zoned)))
            out = {"rows": [{c: shaped(v, t) + "Z" if z and v is not None else shaped(v, t) for c, t, z, v in zip(columns, types, zoned, row)}
                            for row in table.fetchall()]}
        except Exception as e:  # the test says what it thinks of it
            out = {"error": str(e)[:2000]}
        print(json.dumps(out, ensure_ascii=False), flush=True)


main()
