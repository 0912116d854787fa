"""watch.py CMD...: runs it, and prints at the end of standard error: CPU seconds, peak memory in MB, most threads at once."""

import os
import resource
import subprocess
import sys
import time

process = subprocess.Popen(sys.argv[1:])
threads = 0
while process.poll() is None:
    try:
        threads = max(threads, len(os.listdir(f"/proc/{process.pid}/task")))
    except FileNotFoundError:
        pass
    time.sleep(0.02)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss / 1000:.1f} {threads}", file=sys.stderr)
sys.exit(process.returncode)
