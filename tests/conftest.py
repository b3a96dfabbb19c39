"""One thread per process: sums in another order would differ, and tests would share two cores."""

import os

# Before NumPy, torch or TensorFlow reads it, and for the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
