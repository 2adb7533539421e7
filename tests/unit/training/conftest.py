"""Two backends: TensorFlow, which also converts, and PyTorch with KERAS_BACKEND=torch."""

import os

collect_ignore = ["test_torch_layers.py"] if os.environ.get("KERAS_BACKEND") != "torch" else []
