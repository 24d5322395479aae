"""EASE here and in numpy, in turn: seconds of the closed form, and how far the weights differ.

    python3 benches/peers/numpy_ease.py LOWRANK RATINGS [--rounds 3]

LOWRANK is the built program, RATINGS a file of user<tab>item lines (further columns do not count), such as the training
file of the NCF split of MovieLens 1M. λ is 500. numpy multiplies the dense X.T @ X and inverts it with its BLAS on all cores, in double
precision as here; reading, and building X, do not count. Needs `pip install numpy safetensors`.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

LAMBDA = 500.0


def ours(program, folder):
    command = [program, "train", "c.toml", "--json", "--quiet"]
    summary = json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout)
    tensors = load_file(folder / summary["directory"] / "model.safetensors")
    ends = tensors["entities.1.ids.ends"].tolist()
    text = tensors["entities.1.ids.text"].tobytes()
    order = np.argsort([int(text[start:end]) for start, end in zip([0, *ends], ends)])
    return summary["seconds_training"], tensors["item_weights"][np.ix_(order, order)]


def theirs(signs):
    started = time.perf_counter()
    inverse = np.linalg.inv(signs.T @ signs + LAMBDA * np.eye(signs.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return time.perf_counter() - started, weights


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowrank", type=Path)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pairs = np.unique(np.loadtxt(options.ratings, dtype=np.int64, usecols=(0, 1)), axis=0)
    users, items = (np.unique(column, return_inverse=True)[1] for column in pairs.T)
    signs = np.zeros((users.max() + 1, items.max() + 1))
    signs[users, items] = 1
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        np.savetxt(folder / "r.csv", np.stack([users, items, np.ones_like(users)], axis=1), fmt="%d", delimiter=",")
        (folder / "c.toml").write_text(
            f'data = {{ path = "r.csv", split.kind = "none" }}\nmodel.kind = "ease"\nreport.tensorboard = false\n'
            f"solver.regularization.item_weights = {LAMBDA}\n"
        )
        own, other, ratios = [], [], []
        for _ in range(options.rounds):
            (mine, found), (their, expected) = ours(options.lowrank.resolve(), folder), theirs(signs)
            own.append(mine)
            other.append(their)
            ratios.append(their / mine)
        difference = np.abs(found - expected).max()
        print(f"{signs.shape[1]} items: {statistics.median(own):.2f} s, numpy {statistics.median(other):.2f} s, theirs over ours "
              f"{statistics.median(ratios):.2f}; largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
