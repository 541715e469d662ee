"""python measure.py COMMAND…: seconds, CPU seconds and peak memory of a command, as JSON, with its exit code.

The memory is that of the largest process (`ru_maxrss`); what the command prints is thrown away, but for its last words
when it ends with anything but 0 (the same) or 1 (not the same)."""

import json
import resource
import subprocess
import sys
import time

started = time.perf_counter()
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
seconds = time.perf_counter() - started
if ended.returncode not in (0, 1):
    sys.exit(ended.stderr.decode(errors="replace")[-2000:] or f"it ended with {ended.returncode}")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu_seconds = used.ru_utime + used.ru_stime
print(json.dumps({"code": ended.returncode, "seconds": seconds, "cpu_seconds": cpu_seconds, "peak_kib": used.ru_maxrss}))
