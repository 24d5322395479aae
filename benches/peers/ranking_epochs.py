"""Epochs of BPR and WARP here, in `implicit` and in LightFM, in turn, and the lists after thirty of them.

    python3 benches/peers/ranking_epochs.py LOWRANK FOLDER [--rounds 5]

LOWRANK is the built program, FOLDER holds the files `ml-1m.train.rating`, `ml-1m.test.rating` and `ml-1m.test.negative` of the NCF
split of MovieLens 1M. Rank 64 (63 factors and a bias in `implicit`), two threads, one sample an event and epoch; everything else by
its defaults. HR@10 and NDCG@10 are those of the test item among the 99 given ones, ties against the model; users whose test item is
among their own negatives are not compared with it. Needs `pip install implicit lightfm` (or its maintained copy, `lightfm-next`).
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from implicit.cpu.bpr import BayesianPersonalizedRanking  # noqa: E402
from lightfm import LightFM  # noqa: E402

TIMED = 5
WHOLE = 30


def ours(program, folder, loss, epochs):
    """Seconds an epoch, HR@10 and NDCG@10."""
    files = {"data.path": "ml-1m.train.rating", "data.test_path": "ml-1m.test.rating",
             "evaluation.candidates": "ml-1m.test.negative"}
    settings = [f"{key}={folder / file}" for key, file in files.items()]
    settings += ["data.split.kind=files", "data.split.validation=0", "model.kind=biased-mf", "model.rank=64",
                 f"loss.kind={loss}", "solver.kind=stratified", f"train.epochs={epochs}", "train.threads=2",
                 "train.checkpoint_every=0", "report.tensorboard=false",
                 "evaluation.metrics=['hit-rate@10', 'ndcg@10']", "train.early_stopping.metric=ndcg@10"]
    with tempfile.TemporaryDirectory() as place:
        pathlib.Path(place, "c.toml").write_text("")
        command = [program, "train", "c.toml", "--quiet", "--json"]
        command += [word for setting in settings for word in ("--set", setting)]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    result = json.loads(done.stdout)
    among = result["test_among_candidates"]["model"]
    return result["seconds_training"] / epochs, among["hit-rate@10"], among["ndcg@10"]


def of_implicit(train, epochs):
    model = BayesianPersonalizedRanking(factors=63, iterations=epochs, num_threads=2, random_state=1)
    start = time.perf_counter()
    model.fit(train, show_progress=False)
    seconds = (time.perf_counter() - start) / epochs
    users, items = np.asarray(model.user_factors), np.asarray(model.item_factors)
    return seconds, lambda user, candidates: items[candidates] @ users[user]


def of_lightfm(train, loss, epochs):
    model = LightFM(no_components=64, loss=loss, random_state=1)
    start = time.perf_counter()
    model.fit(train.tocoo(), epochs=epochs, num_threads=2)
    seconds = (time.perf_counter() - start) / epochs
    return seconds, lambda user, candidates: model.predict(int(user), candidates, num_threads=1)


def lists(score, folder):
    hits, gains, count = 0, 0.0, 0
    for line in (folder / "ml-1m.test.negative").read_text().splitlines():
        pair, *others = line.split("\t")
        user, item = (int(number) for number in pair.strip("()").split(","))
        others = [int(other) for other in others if int(other) != item]
        scores = score(user, np.array([item, *others], dtype=np.int32))
        place = int(np.sum(scores[1:] >= scores[0]))
        count += 1
        if place < 10:
            hits += 1
            gains += 1 / np.log2(place + 2)
    return hits / count, gains / count


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("lowrank")
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    program, folder = str(pathlib.Path(given.lowrank).resolve()), given.folder.resolve()
    pairs = np.loadtxt(folder / "ml-1m.train.rating", dtype=np.int64, usecols=(0, 1))
    train = sp.csr_matrix((np.ones(len(pairs), np.float32), pairs.T), shape=(6040, 3706))
    times = {"lowrank bpr": lambda: ours(program, folder, "bpr", TIMED)[0],
             "implicit bpr": lambda: of_implicit(train, TIMED)[0],
             "lightfm bpr": lambda: of_lightfm(train, "bpr", TIMED)[0],
             "lowrank warp": lambda: ours(program, folder, "warp", TIMED)[0],
             "lightfm warp": lambda: of_lightfm(train, "warp", TIMED)[0]}
    seconds = {name: [] for name in times}
    for _ in range(given.rounds):
        for name, action in times.items():
            seconds[name].append(action())
    print(f"seconds an epoch, median of {given.rounds} rounds, and theirs over ours")
    for name, values in seconds.items():
        own = seconds[f"lowrank {name.split()[1]}"]
        ratios = sorted(theirs / mine for theirs, mine in zip(values, own))
        print(f"  {name:13} {statistics.median(values):.3f}   {statistics.median(ratios):5.1f}"
              f" ({ratios[0]:.1f} to {ratios[-1]:.1f})")
    print(f"HR@10 and NDCG@10 after {WHOLE} epochs")
    for loss in ("bpr", "warp"):
        print("  lowrank  %s  %.4f %.4f" % (loss, *ours(program, folder, loss, WHOLE)[1:]))
        print("  lightfm  %s  %.4f %.4f" % (loss, *lists(of_lightfm(train, loss, WHOLE)[1], folder)), flush=True)
    print("  implicit bpr  %.4f %.4f" % lists(of_implicit(train, WHOLE)[1], folder))


if __name__ == "__main__":
    main()
