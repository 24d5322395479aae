"""Ranked lists here and in `implicit`, in turn: evaluating NDCG@10 over all items, and the ten best items of all users.

    python3 benches/peers/implicit_ranking.py LOWRANK RUN TRAIN TEST [--rounds 5]

LOWRANK is the built program, RUN a run of it with `model.kind = "mf"`, rank 64, on TRAIN, and TRAIN and TEST files of
user<tab>item lines, such as those of the NCF split of MovieLens 1M. The evaluation is that of `cargo bench --bench training --
ranking_full`, which has as many users, items and interactions as that split. The ten best items of all users are those of
`lowrank recommend RUN --all --format csv`, less what the same command takes for one user, most of which is reading the model;
here lists are written as text, too. Needs `pip install implicit`.
"""

import argparse
import os
import re
import statistics
import subprocess
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from implicit.cpu.als import AlternatingLeastSquares  # noqa: E402
from implicit.evaluation import ranking_metrics_at_k  # noqa: E402

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def matrix(path, shape=None):
    pairs = np.loadtxt(path, dtype=np.int64, usecols=(0, 1))
    return sp.csr_matrix((np.ones(len(pairs), np.float32), pairs.T), shape)


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def evaluation():
    """Median of the bench, in seconds."""
    command = ["cargo", "bench", "--bench", "training", "--", "ranking_full"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    columns = next(line for line in printed.splitlines() if "ranking_full" in line).split("│")
    number, unit = re.search(r"([\d.]+) (\S+)", columns[2].strip()).groups()
    return float(number) * UNITS[unit]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("lowrank")
    arguments.add_argument("run")
    arguments.add_argument("train")
    arguments.add_argument("test")
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    train = matrix(given.train)
    shape = train.shape
    test = matrix(given.test)
    test.resize(shape)
    threads = os.cpu_count()
    model = AlternatingLeastSquares(factors=64, iterations=1, num_threads=threads, random_state=1)
    model.fit(train, show_progress=False)
    users = np.arange(shape[0])
    recommend = [given.lowrank, "recommend", given.run, "-n", "10", "--format", "csv"]
    first = subprocess.run([*recommend, "--all"], check=True, capture_output=True, text=True).stdout.splitlines()[1].split(",")[0]
    ours = {"evaluation": [], "lists": []}
    theirs = {"evaluation": [], "lists": []}
    for _ in range(given.rounds):
        ours["evaluation"].append(evaluation())
        theirs["evaluation"].append(
            seconds(lambda: ranking_metrics_at_k(model, train, test, K=10, show_progress=False, num_threads=threads))
        )
        run = lambda *whom: seconds(lambda: subprocess.run([*recommend, *whom], check=True, capture_output=True))  # noqa: E731
        ours["lists"].append(run("--all") - run(first))
        theirs["lists"].append(seconds(lambda: model.recommend(users, train, N=10)))
    for what in ours:
        ratios = sorted(b / a for a, b in zip(ours[what], theirs[what]))
        print(
            f"{what}: ours {statistics.median(ours[what]):.3f} s, implicit {statistics.median(theirs[what]):.3f} s; "
            f"implicit over ours {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


if __name__ == "__main__":
    main()
