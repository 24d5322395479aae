"""Truncated SVD beside scikit-learn's TruncatedSVD (randomized), with scipy's svds as the truth.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python benches/peers/sklearn_svd.py DATA      # DATA holds bbc-news and orl-faces; run from the repository's root

Both sides get the same matrix, rank, oversampling, number of power iterations and threads, and take turns. A last line
of each matrix shows lowrank with its defaults. Errors are the largest relative errors of the leading 50 singular values.
Times of scikit-learn are of `fit` alone, lowrank's of `svd`.
"""

import argparse
import statistics
import tempfile
import time

import numpy as np
from scipy.sparse.linalg import svds
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

import matrices

RANK = 50

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
options = parser.parse_args()


def theirs(matrix, iterations):
    start = time.perf_counter()
    fit = TruncatedSVD(RANK, n_iter=iterations, n_oversamples=10, random_state=0).fit(matrix)
    return time.perf_counter() - start, fit.singular_values_


print("matrix iterations | lowrank s, error | scikit-learn float64 s, error | float32 s | ratio to float64, float32")
with threadpool_limits(options.threads), tempfile.TemporaryDirectory() as folder:
    for name in ("bbc", "orl"):
        matrix = matrices.rounded(getattr(matrices, name)(options.data))
        matrices.write(folder, name, matrix)
        truth = np.sort(svds(matrix, RANK, tol=1e-12)[1])[::-1]

        def error(values):
            return np.abs(np.array(values) / truth - 1).max()

        for iterations in (5, 10):
            times, errors = [], None
            for _ in range(options.rounds):
                ours = matrices.lowrank(options.threads, folder, "svd", name, RANK, iterations, 10, 0)
                wide, values = theirs(matrix, iterations)
                narrow, _ = theirs(matrix.astype(np.float32), iterations)
                times.append((ours["seconds"], wide, narrow))
                errors = error(ours["values"]), error(values)
            ours_s, wide_s, narrow_s = map(statistics.median, zip(*times))
            ratios = [statistics.median(line[at] / line[0] for line in times) for at in (1, 2)]
            print(
                f"{name} {iterations:2} | {ours_s:.3f} s, {errors[0]:.1e} | {wide_s:.3f} s, {errors[1]:.1e} | "
                f"{narrow_s:.3f} s | {ratios[0]:.1f} {ratios[1]:.1f}"
            )
        ours = [matrices.lowrank(options.threads, folder, "svd", name, RANK) for _ in range(options.rounds)]
        seconds = statistics.median(run["seconds"] for run in ours)
        print(f"{name}: defaults, {ours[0]['iterations']} iterations | {seconds:.3f} s, {error(ours[0]['values']):.1e}")
