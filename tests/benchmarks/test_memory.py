import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

STEPS = """
import resource
from benchmarks.memory import keep_freed
assert keep_freed()
import numpy as np
def faults():
    np.ones(20_000_000)  # 160 MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
faults()
before = faults()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has mallopt")
def test_memory_that_was_freed_is_still_mapped():
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    out = subprocess.run([sys.executable, "-c", STEPS], env=environment, capture_output=True, text=True, check=True)
    assert int(out.stdout) < 20  # 40,000 pages otherwise, or some 80 huge ones
