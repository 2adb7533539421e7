"""Data sets as pictures with soft labels, valence and arousal, named ``KIND:PATH``.

=====================  ==========================================================================
``ferplus:FILE``       FER2013 pictures with FER+ votes, packed into one ``.npz``
``affectnet:FOLDER``   AffectNet as distributed, either layout; its validation set is the test split
``affectnet-thesis:…`` the same, but a random fifth of its training set is the test split
``folder:FOLDER``      pictures of your own, described by a ``labels.csv``
=====================  ==========================================================================
"""

from fer_edge.evaluation.datasets._load import SPLITS, load
from fer_edge.evaluation.datasets._samples import Origin, Pictures, Samples, StoredFace

__all__ = ["SPLITS", "Origin", "Pictures", "Samples", "StoredFace", "load"]
