"""Golden numbers for the solvers on matrices whose zeros are data, computed by scipy and scikit-learn in float64.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python tests/scripts/reference_matrix.py        # prints the constants of tests/numerics/matrix.rs and, for NNDSVD, of
                                                    # src/solver/nmf/start.rs
"""

import numpy as np
from scipy.cluster.hierarchy import average, cophenet
from scipy.spatial.distance import squareform
from sklearn.decomposition import NMF
from sklearn.decomposition._nmf import _initialize_nmf

ROWS, COLUMNS, RANK = 13, 9, 3


def rust(name, values):
    values = np.atleast_1d(values)
    print(f"const {name}: [f64; {len(values)}] = [{', '.join(f'{value:.9}' for value in values)}];")


# A non-negative matrix, a third of it zeros.
A = np.array([[max(0.0, np.sin(1.0 + 0.7 * i * i + 1.3 * j * (i + 1)) + 0.4) for j in range(COLUMNS)] for i in range(ROWS)])
A = A.astype(np.float32).astype(np.float64)
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
distances = np.array([[0.0 if i == j else 1.0 + np.sin(0.3 + 1.7 * min(i, j) + 0.9 * max(i, j) ** 1.5) for j in range(ITEMS)] for i in range(ITEMS)])
tree = average(squareform(distances))
rust("MERGE_HEIGHTS", tree[:, 2])
rust("COPHENETIC_CORRELATION", cophenet(tree, squareform(distances))[0])
