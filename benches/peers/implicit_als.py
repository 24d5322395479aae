"""Implicit alternating least squares here and in `implicit`, in turn: seconds an iteration, and the objective reached.

    python3 benches/peers/implicit_als.py LOWRANK RATINGS [--rounds 3]

LOWRANK is the built program, RATINGS a file of user<tab>item lines (further columns do not count), such as the training
file of the NCF split of MovieLens 1M. Both solve each row by three steps of conjugate gradients, with λ 0.01 and α 1, on
all cores, 15 iterations from small random factors. The objective is that of Hu, Koren & Volinsky (2008) over all cells,
computed here in double precision for both. Needs `pip install implicit safetensors`.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import scipy.sparse as sp  # noqa: E402
from implicit.cpu.als import AlternatingLeastSquares  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

LAMBDA, ALPHA, ITERATIONS = 0.01, 1.0, 15
CONFIG = f"""
name = "implicit"
[data]
path = "ratings.csv"
split = {{ kind = "none" }}
[model]
kind = "mf"
init = "normal"
init_std = 0.01
[solver]
kind = "als"
feedback = "implicit"
inner = "conjugate-gradient"
confidence_alpha = {ALPHA}
regularization = {{ user_factors = {LAMBDA}, item_factors = {LAMBDA} }}
[train]
epochs = {ITERATIONS}
checkpoint_every = 0
[report]
tensorboard = false
"""


def objective(users, items, user_factors, item_factors):
    """Mean over the observed cells of the objective over all cells."""
    p, q = user_factors.astype(float), item_factors.astype(float)
    scores = np.einsum("ij,ij->i", p[users], q[items])
    everywhere = ((p.T @ p) * (q.T @ q)).sum()
    observed = ((1 + ALPHA) * (1 - scores) ** 2 - scores**2).sum()
    return (everywhere + observed + LAMBDA * ((p**2).sum() + (q**2).sum())) / len(users)


def ours(program, folder, rank, users, items):
    command = [program, "train", "c.toml", "--json", "--quiet", "--set", f"model.rank={rank}", "--set", f"name=r{rank}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    run = max(folder.glob(f"runs/r{rank}-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
    seconds = [json.loads(line)["seconds"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    tensors = load_file(run / "model.safetensors")

    def ids(side):
        ends = tensors[f"{side}.ends"].tolist()
        text = tensors[f"{side}.text"].tobytes()
        return [int(text[start:end]) for start, end in zip([0, *ends], ends)]

    places = [np.argsort(ids(side)) for side in ("users", "items")]
    factors = [tensors[f"{side}_factors"][place] for side, place in zip(("user", "item"), places)]
    return np.diff(seconds), objective(users, items, *factors)


def theirs(rank, users, items):
    model = AlternatingLeastSquares(factors=rank, regularization=LAMBDA, alpha=1.0, use_cg=True, iterations=ITERATIONS,
                                    num_threads=os.cpu_count(), random_state=1)
    # Its confidence is α times the value, ours 1 + α times the value.
    values = np.full(len(users), 1 + ALPHA, dtype=np.float32)
    seconds = []
    model.fit(sp.csr_matrix((values, (users, items))), show_progress=False,
              callback=lambda iteration, elapsed, loss: seconds.append(elapsed))
    return seconds[1:], objective(users, items, model.user_factors, model.item_factors)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowrank", type=Path)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pairs = np.unique(np.loadtxt(options.ratings, dtype=np.int64, usecols=(0, 1)), axis=0)
    # Numbered from 0 without gaps, in rising order of the ids.
    users, items = (np.unique(column, return_inverse=True)[1] for column in pairs.T)
    print("| rank | seconds an iteration | `implicit` | theirs over ours | objective | `implicit` |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "c.toml").write_text(CONFIG, encoding="utf-8")
        np.savetxt(folder / "ratings.csv", np.stack([users, items, np.ones_like(users)], axis=1), fmt="%d", delimiter=",")
        for rank in (64, 128, 192):
            own, other, ratios, objectives = [], [], [], None
            for _ in range(options.rounds):
                (mine, at_ours), (their, at_theirs) = (
                    ours(options.lowrank.resolve(), folder, rank, users, items), theirs(rank, users, items)
                )
                own.append(statistics.median(mine))
                other.append(statistics.median(their))
                ratios.append(other[-1] / own[-1])
                objectives = at_ours, at_theirs
            cells = [f"{statistics.median(own):.3f}", f"{statistics.median(other):.3f}", f"{statistics.median(ratios):.2f}"]
            print(f"| {rank} | " + " | ".join(cells) + f" | {objectives[0]:.5f} | {objectives[1]:.5f} |", flush=True)


if __name__ == "__main__":
    main()
