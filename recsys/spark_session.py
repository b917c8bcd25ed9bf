"""Starting Spark quietly: one Java process, one session, one sentence where they are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark import SparkConf
    from pyspark.sql import SparkSession

__all__ = ["spark_session"]

SPARK = "recsys.spark needs Spark, which is not installed: pip install -e '.[spark]'"
JAVA = (
    "recsys.spark needs Java 17 or newer, which was not found: install it, and set JAVA_HOME "
    "if `java` is not on the PATH"
)
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.driver.maxResultSize": "0",  # no limit: the factors come back to the driver
}
STARTED: list[Any] = []  # the gateway to the Java process, once there is one


@contextmanager
def spark_session(master: str = "local[*]", memory: str = "2g") -> Iterator[SparkSession]:
    """The session that is already running, or a quiet one of its own that is stopped at the end.

    Starting one takes seconds: several fits in one `with spark_session():` share it.

    Raises
    ------
    ImportError
        If pyspark is not installed.
    RuntimeError
        If Java is not found, or does not start.
    ValueError
        If the running session has another master, or Spark cannot use this one.
    """
    try:
        from py4j.protocol import Py4JJavaError
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession
    except ModuleNotFoundError:
        raise ImportError(SPARK) from None
    running = SparkSession.getActiveSession()
    if running is not None:
        known = running.sparkContext.master
        if known != master:
            raise ValueError(f"master must be {known!r}, as of the running session, got {master!r}")
        yield running
        return
    conf = SparkConf().setMaster(master).setAppName("recsys").set("spark.driver.memory", memory)
    conf.setAll(list(SETTINGS.items()))
    try:
        session = SparkSession(SparkContext(conf=conf, gateway=java_process(conf)))
    except Py4JJavaError as error:
        reason = error.java_exception.getMessage()
        raise ValueError(f"master must be of Spark's form, got {master!r}: {reason}") from None
    with TemporaryDirectory(prefix="recsys-spark-") as folder:
        try:
            if master.startswith("local"):
                session.sparkContext.setCheckpointDir(folder)
            yield session
        finally:
            session.stop()


def java_process(conf: SparkConf) -> Any:
    """The one Java process of this Python process, with which it ends; its log goes nowhere."""
    if STARTED:
        return STARTED[0]
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway

    home = os.environ.get("JAVA_HOME")
    if shutil.which("java", path=f"{home}/bin" if home else None) is None:
        raise RuntimeError(JAVA)
    try:
        STARTED.append(launch_gateway(conf, {"stderr": subprocess.DEVNULL}))
    except PySparkRuntimeError as error:
        raise RuntimeError(JAVA) from error
    return STARTED[0]
