"""Train and convert the emotion networks (extra ``train``).

``python -m fer_edge.training.train`` makes Keras weights, ``…convert`` turns them into
TFLite files with their cards, which `fer-edge evaluate` measures.  Nothing outside this package
imports it: the edge needs neither Keras nor TensorFlow.
"""
