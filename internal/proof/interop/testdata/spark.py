"""Spark with Delta, one session that answers requests, one JSON object a line.

{"rows": TABLE}                 rows of the newest version
{"rows": TABLE, "columns": [..]} these columns (expressions) of it
{"changes": TABLE, "from": N}   its change feed
{"query": SELECT}               its rows
{"sql": STATEMENT}              runs it; a table is delta.`PATH`
Each answer is {"rows": [...]}, {"ok": true} or {"error": "..."}.
SPARK_PACKAGES names more packages of Maven, with commas; SPARK_CONF has more settings, name=value, one a line.
"""
import base64
import datetime
import decimal
import json
import math
import os
import sys

from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession
from pyspark.sql.types import DecimalType


decimal.getcontext().prec = 60


def plain(v):
    if isinstance(v, (bytes, bytearray)):
        return base64.b64encode(bytes(v)).decode()
    if isinstance(v, decimal.Decimal):
        return format(v, "f")
    if isinstance(v, float) and (math.isnan(v) or math.isinf(v)):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    if isinstance(v, datetime.datetime):
        return v.strftime("%Y-%m-%dT%H:%M:%S.%f").rjust(26, "0")
    if isinstance(v, datetime.date):
        return v.isoformat()
    if hasattr(v, "asDict"):
        return {k: plain(x) for k, x in v.asDict().items()}
    if isinstance(v, dict):
        return sorted(([plain(k), plain(x)] for k, x in v.items()), key=lambda p: json.dumps(p[0]))
    if isinstance(v, list):
        return [plain(x) for x in v]
    return v


def rows(frame):
    # Times are read as text: Python would bring them into a zone of its own.
    cast = [f"date_format(`{f.name}`, \"yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'\") AS `{f.name}`" if f.dataType.simpleString() == "timestamp"
            else f"`{f.name}`" for f in frame.schema.fields]
    out = [plain(r) for r in frame.selectExpr(*cast).collect()]
    for f in frame.schema.fields:
        if isinstance(f.dataType, DecimalType):
            unit = decimal.Decimal(1).scaleb(-f.dataType.scale)
            for r in out:
                if r[f.name] is not None:
                    r[f.name] = format(decimal.Decimal(r[f.name]).quantize(unit), "f")
    return out


def answer(spark, q):
    if "sql" in q:
        spark.sql(q["sql"])
        return {"ok": True}
    if "query" in q:
        return {"rows": rows(spark.sql(q["query"]))}
    if "changes" in q:
        frame = spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", q["from"]).load(q["changes"])
        return {"rows": rows(frame.drop("_commit_timestamp"))}
    frame = spark.read.format("delta").load(q["rows"])
    if "columns" in q:
        frame = frame.selectExpr(*q["columns"])
    return {"rows": rows(frame)}


def main():
    builder = (SparkSession.builder.master("local[2]").appName("interop")
               .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
               .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
               .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false")
               .config("spark.databricks.delta.snapshotPartitions", "2").config("spark.sql.shuffle.partitions", "2")
               .config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "2g"))
    for line in os.environ.get("SPARK_CONF", "").splitlines():
        builder = builder.config(*line.split("=", 1))
    packages = [p for p in os.environ.get("SPARK_PACKAGES", "").split(",") if p]
    spark = configure_spark_with_delta_pip(builder, extra_packages=packages).getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    print(json.dumps({"ok": True, "version": spark.version}), flush=True)
    for line in sys.stdin:
        try:
            out = answer(spark, json.loads(line))
        except Exception as e:  # the test says what it thinks of it
            out = {"error": str(e)[:2000]}
        print(json.dumps(out, ensure_ascii=False), flush=True)
    spark.stop()


main()
