"""How well segments of customers come out again, and what lists and baskets foretell, over seeds.

    LOWRANK_DATA=FOLDER LOWRANK_PROGRAM=PROGRAM python3 benches/segments.py [--seeds 1,2,3,4,5] [--set KEY=VALUE …]

PROGRAM is the built program; scikit-learn is needed. The model is that of configs/recipes/segments.toml on online-retail; the seed
draws bootstrap samples and starts. Beside it, scikit-learn's k-means on the logarithms of recency, frequency and monetary value that the
run has written down, each in units of its standard deviation, with as many clusters: the adjusted Rand index of bootstrap pairs,
by samples of its own.
"""

import argparse
import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

RECIPE = Path(__file__).resolve().parent.parent / "configs" / "recipes" / "segments.toml"
DATA = Path(os.environ["LOWRANK_DATA"]) / "online-retail" / "online_retail.csv.gz"
COLUMNS = '["item", "quantity", "timestamp", "price", "user", "-"]'
NO_PRODUCTS = '["POSTAGE", "Manual", "CARRIAGE", "DOTCOM POSTAGE", "Discount", "CRUK Commission", "Bank Charges"]'
PAIRS = 20


def train(folder, seed, settings):
    sets = [f"data.path={DATA}", f"data.columns={COLUMNS}", f"data.exclude={NO_PRODUCTS}", f"seed={seed}", *settings]
    arguments = [part for setting in sets for part in ("--set", setting)]
    command = [os.environ["LOWRANK_PROGRAM"], "train", str(RECIPE), "--json", "--quiet", *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    run = max((folder / "runs").iterdir(), key=lambda path: int(path.name.rsplit("-", 1)[1]))
    return run, json.loads((run / "summary.json").read_text())["views"]["segments"]


def habits(run):
    with (run / "customers.csv").open() as file:
        rows = [[float(row[key]) for key in ("days_since_order", "orders", "spend")] for row in csv.DictReader(file)]
    days, orders, spend = np.array(rows).T
    values = np.column_stack([-np.log1p(days), np.log(orders), np.log1p(100 * spend / np.median(spend))])
    return (values - values.mean(0)) / values.std(0)


def stability(values, clusters, seed):
    random = np.random.default_rng(seed)
    agreements = []
    for _ in range(PAIRS):
        labels = []
        for _ in range(2):
            sample = values[random.integers(0, len(values), len(values))]
            means = KMeans(clusters, n_init=5, random_state=int(random.integers(1 << 30))).fit(sample)
            labels.append(means.predict(values))
        agreements.append(adjusted_rand_score(*labels))
    return float(np.mean(agreements))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3,4,5", type=lambda text: [int(seed) for seed in text.split(",")])
    parser.add_argument("--set", dest="settings", action="append", default=[])
    arguments = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            run, segments = train(Path(folder), seed, arguments.settings)
            count = segments["stability"]["groups"]
            values = {
                "segments": count,
                "adjusted Rand index": segments["stability"]["agreement"],
                "  by recency, frequency, monetary value alone": segments["stability_of_habits"]["agreement"],
                "  by these alone, scikit-learn": stability(habits(run), count, seed),
                "hit rate of segments' lists": segments["lists"]["hit_rate"],
                "  of all segments, as many days": segments["lists"]["recent_hit_rate"],
                "  most popular of all times": segments["lists"]["popularity_hit_rate"],
                "communities": segments["communities"]["stability"]["groups"],
                "  adjusted Rand index": segments["communities"]["stability"]["agreement"],
                "  pairs of held-out orders within": segments["communities"]["held_out_pairs_within"],
                "  by chance": segments["communities"]["by_chance"],
                "lift of pairs bought together": segments["bought_together"]["lift"],
                "  in held-out orders": segments["bought_together"]["held_out_lift"],
                "missing products found by lift": segments["bought_together"]["hit_rate"],
                "  by popularity": segments["bought_together"]["popularity_hit_rate"],
            }
            for name, value in values.items():
                found.setdefault(name, []).append(value)
    print(f"| online-retail, {len(arguments.seeds)} seeds | mean | from | to |\n|---|---|---|---|")
    for name, values in found.items():
        print(f"| {name} | {np.mean(values):.3f} | {min(values):.3f} | {max(values):.3f} |")


if __name__ == "__main__":
    main()
