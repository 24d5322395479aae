"""Faces recognized by scikit-learn as by configs/recipes/eigenfaces.toml and parts-of-faces.toml.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python benches/peers/sklearn_faces.py DATA    # DATA holds orl-faces

The first seven pictures of each person are trained on. Each of the other 120 is taken for the person of the training
picture that is nearest to it in the space of the components, each of unit length.
"""

import argparse
import warnings

import numpy as np
from sklearn.decomposition import NMF, PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.neighbors import KNeighborsClassifier

import matrices

parser = argparse.ArgumentParser()
parser.add_argument("data")
options = parser.parse_args()
warnings.simplefilter("ignore", ConvergenceWarning)

faces = matrices.orl(options.data)
persons = np.repeat(np.arange(40), 10)
trained = np.tile(np.arange(10) < 7, 40)


def recognized(name, places):
    """`places` has a row for each face."""
    nearest = KNeighborsClassifier(1).fit(places[trained], persons[trained])
    right = (nearest.predict(places[~trained]) == persons[~trained]).sum()
    print(f"{name}: {right} of {(~trained).sum()}")


recognized("PCA, 50 components", PCA(50, svd_solver="full").fit(faces[trained]).transform(faces))
parts = NMF(49, init="nndsvda", max_iter=500, random_state=0).fit(faces[trained])
recognized("NMF, 49 components", parts.transform(faces) * np.linalg.norm(parts.components_, axis=1))
