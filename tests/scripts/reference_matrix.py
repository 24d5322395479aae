"""Golden numbers for the solvers on matrices whose zeros are data, computed by scipy and scikit-learn in float64.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python tests/scripts/reference_matrix.py [DATA]

It prints the constants of tests/numerics/matrix/ and, for NNDSVD, of src/solver/nmf/start.rs; with the folder of the data
sets also those of tests/numerics/real_matrices.rs.
"""

import glob
import sys

import numpy as np
from scipy.cluster.hierarchy import average, cophenet
from scipy.sparse.linalg import svds
from sklearn.decomposition import NMF
from sklearn.decomposition._nmf import _initialize_nmf
from sklearn.feature_extraction.text import TfidfVectorizer

ROWS, COLUMNS, RANK = 13, 9, 3


def rust(name, values):
    values = np.atleast_1d(values)
    print(f"const {name}: [f64; {len(values)}] = [{', '.join(f'{value:.9}' for value in values)}];")


# A non-negative matrix, a third of it zeros.
I, J = np.mgrid[:ROWS, :COLUMNS]
A = np.maximum(np.sin(1.0 + 0.7 * I * I + 1.3 * J * (I + 1)) + 0.4, 0.0).astype(np.float32).astype(np.float64)
rust("SINGULAR_VALUES", np.linalg.svd(A, compute_uv=False))
rust("CENTRED_SINGULAR_VALUES", np.linalg.svd(A - A.mean(axis=0), compute_uv=False))

W, H = _initialize_nmf(A, RANK, init="nndsvd", random_state=0)
rust("NNDSVD_W", W[:, 1])
rust("NNDSVD_H", H[2])

W, H = _initialize_nmf(A, RANK, init="nndsvda", random_state=0)
for name, loss in [("FROBENIUS", "frobenius"), ("KULLBACK_LEIBLER", "kullback-leibler")]:
    objectives = []
    for iterations in (10, 50):
        model = NMF(RANK, init="custom", solver="mu", beta_loss=loss, max_iter=iterations, tol=0)
        model.fit_transform(A, W=W.copy(), H=H.copy())
        objectives.append(0.5 * model.reconstruction_err_**2)
    rust(f"{name}_OBJECTIVES", objectives)

# Coordinate descent with a penalty, to its end.
model = NMF(RANK, init="custom", solver="cd", alpha_W=0.02, alpha_H=0.03, l1_ratio=0.4, max_iter=20_000, tol=1e-12)
W1 = model.fit_transform(A, W=W.copy(), H=H.copy())
H1 = model.components_
penalty = sum(
    count * alpha * (0.4 * factor.sum() + 0.3 * (factor**2).sum())
    for factor, alpha, count in [(W1, 0.02, COLUMNS), (H1, 0.03, ROWS)]
)
rust("PENALIZED_OBJECTIVE", 0.5 * ((A - W1 @ H1) ** 2).sum() + penalty)

ITEMS = 12
pairs = [(i, j) for i in range(ITEMS) for j in range(i + 1, ITEMS)]
distances = np.array([1.0 + np.sin(0.3 + 1.7 * i + 0.9 * j**1.5) for i, j in pairs])
tree = average(distances)
rust("MERGE_HEIGHTS", tree[:, 2])
rust("COPHENETIC_CORRELATION", cophenet(tree, distances)[0])

if len(sys.argv) > 1:
    data = sys.argv[1]
    texts = [open(path, encoding="latin-1").read() for path in sorted(glob.glob(f"{data}/bbc-news/*/*.txt"))]
    news = TfidfVectorizer(token_pattern="[a-z]{2,}", min_df=2).fit_transform(texts)
    print(news.shape, news.nnz)
    rust("NEWS_SINGULAR_VALUES", np.sort(svds(news, 50, tol=1e-12)[1])[::-1])

    def image(path):
        content = open(path, "rb").read()
        _, columns, rows = content.split(maxsplit=3)[:3]
        return np.frombuffer(content[-int(columns) * int(rows) :], np.uint8)

    shots = [(person, shot) for person in range(1, 41) for shot in range(1, 11)]
    faces = np.stack([image(f"{data}/orl-faces/s{person}/{shot}.pgm") for person, shot in shots]) / 255.0
    genes = np.loadtxt(f"{data}/all-aml/ALL_AML_data.txt")

    def fitted(matrix, rank):
        return 0.5 * NMF(rank, init="nndsvd", random_state=0).fit(matrix).reconstruction_err_ ** 2

    rust("NEWS_OBJECTIVE", fitted(news, 20))
    rust("FACES_OBJECTIVE", fitted(faces, 49))
    rust("GENES_OBJECTIVES", [fitted(genes, rank) for rank in (2, 3, 4, 5)])
