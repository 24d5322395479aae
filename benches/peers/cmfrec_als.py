"""Alternating least squares with biases here and in cmfrec, in turn, on the same division of the same ratings.

    python3 benches/peers/cmfrec_als.py LOWRANK RATINGS [--rounds 3]

LOWRANK is the built program, RATINGS a file of user::item::rating lines, such as MovieLens 1M's ratings.dat. A tenth of the
ratings is the test, drawn with a fixed seed. Ours has the settings of configs/movielens-1m/als.toml, which a search on
validation chose; its time includes choosing the number of epochs on validation and training again. cmfrec has the best of
a few λ by validation (a twentieth of the training part), for Cholesky and for conjugate gradients, and its time is that of
its one fit with 15 iterations. Both run on all cores. Needs `pip install cmfrec pandas`.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", str(os.cpu_count()))
os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from cmfrec import CMF  # noqa: E402

CONFIG = Path(__file__).resolve().parents[2] / "configs/movielens-1m/als.toml"
RANK = 64
LAMBDAS = [0.05, 0.06, 0.07, 0.08, 0.09]


def fit(train, weight, use_cg):
    model = CMF(k=RANK, lambda_=weight, scale_lam=True, method="als", use_cg=use_cg, niter=15, nthreads=os.cpu_count(),
                use_float=True, precompute_for_predictions=False, verbose=False)
    started = time.perf_counter()
    model.fit(pd.DataFrame({"UserId": train[:, 0], "ItemId": train[:, 1], "Rating": train[:, 2]}))
    return model, time.perf_counter() - started


def rmse(model, train, test):
    prediction = model.predict(test[:, 0], test[:, 1])
    prediction = np.clip(np.where(np.isnan(prediction), train[:, 2].mean(), prediction), 1, 5)
    return float(np.sqrt(((prediction - test[:, 2]) ** 2).mean()))


def ours(program, folder):
    command = [program, "train", "als.toml", "--json", "--quiet"]
    result = json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout)
    return result["test"]["rmse"], result["seconds_training"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowrank", type=Path)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    lines = options.ratings.read_text(encoding="latin-1").split()
    data = np.array([line.split("::")[:3] for line in lines], dtype=float)
    order = np.random.default_rng(42).permutation(len(data))
    test, train = data[order[: len(data) // 10]], data[order[len(data) // 10 :]]
    held_out = len(train) // 20
    best = {}
    for use_cg in (False, True):
        scores = {weight: rmse(fit(train[held_out:], weight, use_cg)[0], train, train[:held_out]) for weight in LAMBDAS}
        best[use_cg] = min(scores, key=scores.get)
        print(f"cmfrec, {'CG' if use_cg else 'Cholesky'}: validation RMSE by λ", scores, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, part in (("train.csv", train), ("test.csv", test)):
            np.savetxt(Path(folder) / name, part, fmt="%d,%d,%g")
        text = CONFIG.read_text(encoding="utf-8")
        head, rest = text.split("[data]")
        data_section = '[data]\npath = "train.csv"\ntest_path = "test.csv"\nsplit = { kind = "files", validation = 0.05 }\n'
        settings = head + data_section + rest[rest.index("[model]") :] + "\n[report]\ntensorboard = false\n"
        (Path(folder) / "als.toml").write_text(settings, encoding="utf-8")
        results = {"lowrank": [], "cmfrec, Cholesky": [], "cmfrec, CG": []}
        for _ in range(options.rounds):
            results["lowrank"].append(ours(options.lowrank.resolve(), folder))
            for use_cg in (False, True):
                model, seconds = fit(train, best[use_cg], use_cg)
                results[f"cmfrec, {'CG' if use_cg else 'Cholesky'}"].append((rmse(model, train, test), seconds))
    print("\n| | test RMSE | seconds | time over ours |\n|---|---|---|---|")
    own = [seconds for _, seconds in results["lowrank"]]
    for name, runs in results.items():
        ratio = statistics.median(seconds / mine for (_, seconds), mine in zip(runs, own))
        seconds = statistics.median(seconds for _, seconds in runs)
        print(f"| {name} | {statistics.median(score for score, _ in runs):.4f} | {seconds:.2f} | {ratio:.1f} |")


if __name__ == "__main__":
    main()
