"""What the benchmarks share."""

import os

# TensorFlow, the reference's, reads it when it is imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
