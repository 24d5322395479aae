"""Squared, Huber and absolute loss where some training ratings of MovieLens 100K are false, and intervals by quantiles.

    python benches/robustness.py FOLDER lowrank [--chart FILE]     # FOLDER has u.data; a chart needs matplotlib

Of each seed, a random fifth of the ratings is the test part, which stays as it is. Of the training part a share is made false in one of
two ways: *flipped*, 6 − r of random ratings; *spam*, users who each rate the same hundred random films with 1, as many as make up that
share. Training knows nothing of that: an epoch is chosen by the loss itself, on a tenth of the training part that has its share of false
ratings. Printed are RMSE and MAE on the test part, means of the seeds, and the spread of the difference to squared loss over the
seeds. Settings are the same for all losses: biased-mf of rank 16 by `adam` with its defaults. A Huber loss is squared up to 1 star.
"""

import argparse
import json
import random
import statistics
import subprocess
import tempfile
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("folder", type=Path)
parser.add_argument("program", type=Path)
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--chart", type=Path)
arguments = parser.parse_args()

RATINGS = [line.split("\t")[:3] for line in (arguments.folder / "u.data").read_text().splitlines()]
SHARES = [0.0, 0.05, 0.1, 0.2]
LOSSES = {"squared": "kind = 'squared'", "huber": "kind = 'huber'\ndelta = 1.0", "absolute": "kind = 'absolute'"}


def divided(seed):
    """Training and test part."""
    rows = [(user, item, int(rating)) for user, item, rating in RATINGS]
    random.Random(seed).shuffle(rows)
    cut = len(rows) // 5
    return rows[cut:], rows[:cut]


def with_false_ratings(rows, kind, share, seed):
    draw = random.Random(1000 + seed)
    count = round(share * len(rows))
    if kind == "flipped":
        return [(user, item, 6 - rating) for user, item, rating in rows[:count]] + rows[count:]
    targets = draw.sample(sorted({item for _, item, _ in rows}), 100)
    return rows + [(f"spam{at // 100}", targets[at % 100], 1) for at in range(count)]


def train(train, test, loss, seed):
    """The summary of a run."""
    with tempfile.TemporaryDirectory() as place:
        for name, rows in [("train.tsv", train), ("test.tsv", test)]:
            Path(place, name).write_text("".join(f"{user}\t{item}\t{rating}\n" for user, item, rating in rows))
        Path(place, "c.toml").write_text(f"""
seed = {seed}
[data]
path = "train.tsv"
test_path = "test.tsv"
columns = ["user", "item", "rating"]
split = {{ kind = "files", validation = 0.1 }}
[model]
kind = "biased-mf"
rank = 16
[loss]
{loss}
[train]
epochs = 40
checkpoint_every = 0
early_stopping = {{ metric = "loss", patience = 3 }}
[report]
tensorboard = false
""")
        command = [str(arguments.program.absolute()), "train", "c.toml", "--quiet"]
        subprocess.run(command, cwd=place, check=True, capture_output=True)
        run = next(Path(place).glob("runs/*"))
        predictions = None
        if loss.startswith("kind = 'quantile'"):
            command = [command[0], "predict", str(run), "--file", "test.tsv", "--json"]
            printed = subprocess.run(command, cwd=place, check=True, capture_output=True, text=True).stdout
            predictions = [row["prediction"] for row in json.loads(printed)]
        return json.loads((run / "summary.json").read_text()), predictions


found = {}
for seed in range(1, arguments.seeds + 1):
    rows, test = divided(seed)
    for kind in ("flipped", "spam"):
        for share in SHARES:
            if share == 0.0 and kind == "spam":
                continue
            false = with_false_ratings(rows, kind, share, seed)
            for name, loss in LOSSES.items():
                summary, _ = train(false, test, loss, seed)
                found.setdefault((kind, share, name), []).append((summary["test"]["rmse"], summary["test"]["mae"]))

print("false ratings        loss      RMSE   MAE    RMSE against squared (least, most)")
for (kind, share, name), results in found.items():
    rmse, mae = (statistics.mean(result[at] for result in results) for at in (0, 1))
    differences = [own[0] - squared[0] for own, squared in zip(results, found[kind, share, "squared"])]
    against = f"{statistics.mean(differences):+.4f} ({min(differences):+.4f}, {max(differences):+.4f})"
    print(f"{kind if share else 'none':8} {share:4.0%}        {name:9} {rmse:.4f} {mae:.4f} {'' if name == 'squared' else against}")

# Intervals between two quantiles, each a model of its own.
rows, test = divided(1)
for level in (0.8, 0.9):
    low, high = (
        train(rows, test, f"kind = 'quantile'\nlevel = {quantile}", 1)[1]
        for quantile in ((1 - level) / 2, (1 + level) / 2)
    )
    inside = sum(min(a, b) <= rating <= max(a, b) for a, b, (_, _, rating) in zip(low, high, test)) / len(test)
    width = statistics.mean(abs(b - a) for a, b in zip(low, high))
    print(f"interval of {level:.0%}: holds {inside:.1%} of the test ratings, {width:.2f} stars wide on average")

if arguments.chart:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), sharey=True)
    for axis, kind in zip(axes, ("flipped", "spam")):
        for name in LOSSES:
            values = [found[kind if share else "flipped", share, name] for share in SHARES]
            means = [statistics.mean(result[0] for result in results) for results in values]
            axis.plot([100 * share for share in SHARES], means, marker="o", label=name)
            for share, results in zip(SHARES, values):
                axis.scatter([100 * share] * len(results), [result[0] for result in results], s=5, color="grey")
        axis.set(title=kind, xlabel="false training ratings, %", ylabel="test RMSE")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(arguments.chart)
