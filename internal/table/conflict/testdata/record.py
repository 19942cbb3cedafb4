"""Plays conflict scenarios on Spark and records its verdicts: record.py CASES.jsonl OUT.jsonl FOLDER.

The cases are those of sluice explain --scenario; each line of OUT is one with readFiles and verdict.
It needs pyspark and delta-spark.
"""
import re, sys, json, os, shutil, time
from pyspark.sql import SparkSession
from delta import configure_spark_with_delta_pip
from py4j.protocol import Py4JJavaError
src, dst = sys.argv[1], sys.argv[2]
work = sys.argv[3]
b = (SparkSession.builder.master("local[1]").appName("conf")
     .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
     .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
     .config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "1").config("spark.default.parallelism","1")
     .config("spark.databricks.delta.snapshotPartitions", "1")
     .config("spark.sql.session.timeZone", "UTC").config("spark.driver.memory", "2g")
     .config("spark.databricks.delta.stats.collect","true"))
spark = configure_spark_with_delta_pip(b).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
jvm = spark._jvm; js = spark._jsparkSession
D = jvm.org.apache.spark.sql.delta
def scala_seq(items):
    l = jvm.java.util.ArrayList()
    for i in items: l.add(i)
    return jvm.scala.jdk.javaapi.CollectionConverters.asScala(l).toSeq()
manual = getattr(getattr(D, "DeltaOperations$ManualUpdate$"), "MODULE$")
parser = js.sessionState().sqlParser()
fromJson = lambda s: jvm.org.apache.spark.sql.delta.actions.Action.fromJson(s)
def version_file(p, v): return os.path.join(p, "_delta_log", "%020d.json" % v)
def write(p, v, acts):
    with open(version_file(p, v), "w") as f:
        for a in acts: f.write(json.dumps(a) + "\n")
def one(c, i):
    p = os.path.join(work, "t%d" % i)
    shutil.rmtree(p, ignore_errors=True)
    os.makedirs(os.path.join(p, "_delta_log"))
    write(p, 0, c["table"])
    log = D.DeltaLog.forTable(js, p)
    txn = log.startTransaction()
    read, scan, started = [], [], False
    def flush():
        if not scan: return
        fs = txn.filterFiles(scala_seq([parser.parseExpression(e) for e in scan]), False)
        it = fs.iterator()
        while it.hasNext():
            x = it.next().path()
            if x not in read: read.append(x)
        scan.clear()
    for r in c["reads"]:
        if r.get("also"): flush()
        if "filter" in r: scan.append(r["filter"])
        else: flush()
        if r.get("wholeTable"): txn.readWholeTable()
        if r.get("txn"): txn.txnVersion(r["txn"])
    flush()
    c["readFiles"] = sorted(read)
    for n, w in enumerate(c["winners"]): write(p, n + 1, w)
    try:
        v = txn.commit(scala_seq([fromJson(json.dumps(a)) for a in c["own"]]), manual)
        acts = [json.loads(l) for l in open(version_file(p, v))]
        ci = [a["commitInfo"] for a in acts if "commitInfo" in a][0]
        out = {"commit": v, "isolationLevel": ci.get("isolationLevel"), "isBlindAppend": ci.get("isBlindAppend")}
        if "inCommitTimestamp" in ci: out["inCommitTimestamp"] = ci["inCommitTimestamp"]
        if ci.get("tags"): out["tags"] = ci["tags"]
        out["actions"] = [a for a in acts if "commitInfo" not in a]
    except Py4JJavaError as e:
        j = e.java_exception
        out = {"exception": j.getClass().getName()}
        try: out["condition"] = j.getCondition()
        except Exception:
            try: out["condition"] = j.getErrorClass()
            except Exception: pass
        try: out["sqlstate"] = j.getSqlState()
        except Exception: pass
        out["message"] = str(j.getMessage())
    c["verdict"] = out
    D.DeltaLog.clearCache()
    shutil.rmtree(p, ignore_errors=True)
    return c
names = {"DELTA_CONCURRENT_APPEND": "ConcurrentAppend", "DELTA_CONCURRENT_DELETE_READ": "ConcurrentDeleteRead", "DELTA_CONCURRENT_DELETE_DELETE": "ConcurrentDeleteDelete",
         "DELTA_METADATA_CHANGED": "MetadataChanged", "DELTA_PROTOCOL_CHANGED": "ProtocolChanged"}
def verdict_of(text):
    """An error that pyspark has made an exception of its own, of which only the text is left."""
    m = re.match(r"\[([A-Z_.]+)\]", text)
    condition = m.group(1) if m else "DELTA_CONCURRENT_TRANSACTION"
    name = names.get(condition.split(".")[0], "ConcurrentTransaction")
    return {"exception": "io.delta.exceptions." + name + "Exception", "condition": condition, "sqlstate": "2D521"}
t0 = time.time()
with open(dst, "a") as f:
    for i, line in enumerate(open(src)):
        c = json.loads(line)
        try: c = one(c, i)
        except Exception as e: c["verdict"] = verdict_of(str(e))
        f.write(json.dumps(c) + "\n"); f.flush()
        if i % 50 == 0: print(i, time.time() - t0, flush=True)
print("done", time.time() - t0)
