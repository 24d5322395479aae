"""Bayesian factorization beside myFM (Ohtsuki 2020) on the official folds u1 to u5 of MovieLens 100K, ids only: RMSE, and seconds of
each fold's training in turn.

    pip install myfm==0.4.0 'setuptools<80' scikit-learn pandas
    python benches/peers/myfm_gibbs.py FOLDER lowrank     # FOLDER has u1.base, u1.test, …

Both have rank 10 and 300 draws (30 epochs of 10). myFM is timed around `fit` and `predict`; lowrank is timed as a command that reads the fold, trains,
writes its run directory and tests, and by its own clock of the training alone.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import myfm
import pandas as pd
from sklearn.preprocessing import OneHotEncoder

folder, program = Path(sys.argv[1]).absolute(), str(Path(sys.argv[2]).absolute())
CONFIG = f"""
[data]
path = "{folder}/u%d.base"
test_path = "{folder}/u%d.test"
split = {{ kind = "files", validation = 0 }}
[model]
kind = "biased-mf"
rank = 10
[solver]
kind = "gibbs"
[train]
epochs = 30
"""


def peer(fold):
    columns = ["user", "item", "rating", "time"]
    train, test = (pd.read_csv(folder / f"u{fold}.{part}", sep="\t", names=columns) for part in ("base", "test"))
    encoder = OneHotEncoder(handle_unknown="ignore").fit(train[["user", "item"]])
    seen, unseen = (encoder.transform(part[["user", "item"]]) for part in (train, test))
    started = time.perf_counter()
    model = myfm.MyFMRegressor(rank=10, random_seed=fold)
    model.fit(seen, train.rating.to_numpy(float), n_iter=300, n_kept_samples=300, grouping=[0] * len(encoder.categories_[0]) + [1] * len(encoder.categories_[1]))
    predicted = model.predict(unseen)
    seconds = time.perf_counter() - started
    return ((test.rating - predicted) ** 2).mean() ** 0.5, seconds


def ours(fold):
    with tempfile.TemporaryDirectory() as place:
        Path(place, "c.toml").write_text(CONFIG % (fold, fold))
        started = time.perf_counter()
        subprocess.run([program, "train", "c.toml"], cwd=place, check=True, capture_output=True)
        seconds = time.perf_counter() - started
        summary = json.loads(next(Path(place).glob("runs/*/summary.json")).read_text())
        return summary["test"]["rmse"], seconds, summary["seconds_training"]


rows = [(*peer(fold), *ours(fold)) for fold in range(1, 6)]
for fold, (theirs, seconds, own, of_command, of_training) in enumerate(rows, 1):
    print(f"u{fold}: myFM {theirs:.4f} in {seconds:.1f} s, lowrank {own:.4f} in {of_command:.1f} s, {of_training:.1f} s of training")
mean = [statistics.mean(row[at] for row in rows) for at in (0, 2)]
ratios = [statistics.median(row[at] / row[1] for row in rows) for at in (3, 4)]
print(f"mean RMSE: myFM {mean[0]:.4f}, lowrank {mean[1]:.4f}; time: {ratios[0]:.2f} of myFM's as a command, {ratios[1]:.2f} its training")
