"""Non-negative factorization beside scikit-learn's NMF.

    pip install numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
    python benches/peers/sklearn_nmf.py DATA      # DATA holds bbc-news, orl-faces and all-aml; run from the root

Both sides get the same matrix, start (scikit-learn's NNDSVD with zeros filled: `nndsvda`), rank, threads and at most
200 iterations, and take turns. Each stops by its own criterion at its own default tolerance: scikit-learn's compares
with the first iteration, lowrank's does not. Times are of the fit, start not included. The last column is the time after
which lowrank's objective was at or below scikit-learn's final one, by its share of the iterations.
"""

import argparse
import statistics
import tempfile
import time
import warnings

import numpy as np
from sklearn.decomposition import NMF
from sklearn.decomposition._nmf import _initialize_nmf
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

import matrices

CASES = [("bbc", 20), ("orl", 49), ("aml", 2), ("aml", 3), ("aml", 4), ("aml", 5)]
SOLVERS = {
    "hals": {"solver": "cd"},
    "mu": {"solver": "mu"},
    "mu-kl": {"solver": "mu", "beta_loss": "kullback-leibler"},
}

parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=3)
options = parser.parse_args()
warnings.simplefilter("ignore", ConvergenceWarning)


def theirs(matrix, start, rank, solver):
    w, h = (factor.astype(matrix.dtype) for factor in start)
    model = NMF(rank, init="custom", max_iter=200, **SOLVERS[solver])
    begin = time.perf_counter()
    model.fit_transform(matrix, W=w, H=h)
    return time.perf_counter() - begin, model.n_iter_, 0.5 * model.reconstruction_err_**2


print("matrix rank solver | lowrank: s, iterations, objective | float64: the same | float32: s | ratios | reached")
with threadpool_limits(options.threads), tempfile.TemporaryDirectory() as folder:
    for name, rank in CASES:
        matrix = matrices.rounded(getattr(matrices, name)(options.data))
        start = [matrices.rounded(factor) for factor in _initialize_nmf(matrix, rank, init="nndsvda", random_state=0)]
        for part, of in [(name, matrix), (f"{name}-w", start[0]), (f"{name}-h", start[1])]:
            matrices.write(folder, part, of)
        for solver in SOLVERS:
            runs = []
            for _ in range(options.rounds):
                ours = matrices.lowrank(options.threads, folder, "nmf", name, rank, solver)
                wide = theirs(matrix, start, rank, solver)
                narrow = theirs(matrix.astype(np.float32), start, rank, solver)
                runs.append((ours["seconds"], wide[0], narrow[0]))
            seconds = [statistics.median(times) for times in zip(*runs)]
            ratios = [statistics.median(run[at] / run[0] for run in runs) for at in (1, 2)]
            there = [at for at, value in ours["trace"] if value <= wide[2]]
            reached = f"{seconds[0] * there[0] / ours['iterations']:.3f} s" if there else "not"
            print(
                f"{name} {rank} {solver} | {seconds[0]:.3f} s, {ours['iterations']}, {ours['objective']:.7g} | "
                f"{seconds[1]:.3f} s, {wide[1]}, {wide[2]:.7g} | {seconds[2]:.3f} s | "
                f"{ratios[0]:.1f} {ratios[1]:.1f} | {reached}"
            )
