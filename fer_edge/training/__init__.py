"""Train, convert and evaluate the emotion networks (extra ``train``).

``python -m fer_edge.training.train`` makes Keras weights, ``…convert`` turns them into
TFLite files with their cards, ``…evaluate`` measures those files.  Nothing outside this
package imports it: the edge needs neither Keras nor TensorFlow.
"""
