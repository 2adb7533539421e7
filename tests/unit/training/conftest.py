"""Two backends: TensorFlow, which also converts, and PyTorch with KERAS_BACKEND=torch."""

import os

collect_ignore_glob = ["test_torch_*.py"] if os.environ.get("KERAS_BACKEND") != "torch" else []
