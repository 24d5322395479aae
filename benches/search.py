#!/usr/bin/env python3
"""Which way of searching finds the better config in the same time?

    python3 benches/search.py LOWRANK SPACE.toml [--seeds 5] [--points 3] [--folder runs]

LOWRANK is the built program. For each seed, a grid of SPACE is searched to its end, without pruning, as scikit-learn's
GridSearchCV would: trial after trial in the grid's order. The time that it took is what the other ways get: random
search, random search with ASHA, TPE, TPE with ASHA, and TPE with an ASHA that begins later. A trial counts if it ended
within that time. The seed is that of the sampler and of the runs, so that each seed has its own validation part and all
ways the same. No test part is touched.

Prints the best validation metric of each way: mean, standard deviation, each seed, trials, and the mean difference to the
grid with the number of seeds that beat it.
"""

import argparse
import json
import statistics
import subprocess
from pathlib import Path

WAYS = {
    "grid": ["sampler.kind=grid", "pruning.kind=none"],
    "random": ["sampler.kind=random", "pruning.kind=none"],
    "ASHA": ["sampler.kind=random"],
    "TPE": ["sampler.kind=tpe", "pruning.kind=none"],
    "TPE + ASHA": ["sampler.kind=tpe"],
    "TPE + late ASHA": ["sampler.kind=tpe", "pruning.min_epochs=15"],
}
UNLIMITED = 1_000_000


def sweep(options, way, seed, minutes):
    """The journal of a sweep, whose first line is its header."""
    name = f"search-{way.lower().replace(' + ', '-').replace(' ', '-')}-{seed}"
    settings = [*WAYS[way], f"name={name}", f"seed={seed}", f"set.seed={seed}", f"trials={UNLIMITED}", "refit=false"]
    settings += [f"set.run.dir={options.folder}"]
    settings += [f"sampler.points={options.points}"] if way == "grid" else [f"max_minutes={minutes}"]
    overrides = [word for setting in settings for word in ("--set", setting)]
    command = [options.lowrank, "sweep", options.space, "--quiet", "--json", *overrides]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    with open(Path(result["directory"]) / "journal.jsonl", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines][1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lowrank")
    parser.add_argument("space")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--points", type=int, default=3, help="values of each range in the grid")
    parser.add_argument("--folder", default="runs")
    options = parser.parse_args()
    best = {way: [] for way in WAYS}
    trials = {way: [] for way in WAYS}
    times = []
    for seed in range(1, options.seeds + 1):
        for way in WAYS:
            minutes = times[-1] / 60 if way != "grid" else None
            records = sweep(options, way, seed, minutes)
            if way == "grid":
                times.append(max(record["ended"] for record in records))
            within = [record for record in records if record["ended"] <= times[-1]]
            best[way].append(min(record["metric"] for record in within if record["status"] == "finished"))
            trials[way].append(len(within))
            print(f"seed {seed}  {way:<10}  {best[way][-1]:.5f}  {len(within)} trials  {times[-1]:.0f} s", flush=True)
    print(f"\n{'':<10}  mean     deviation  trials  against grid (seeds better)  each seed")
    for way, values in best.items():
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        differences = [value - grid for value, grid in zip(values, best["grid"])]
        better = sum(difference < 0 for difference in differences)
        print(
            f"{way:<10}  {statistics.mean(values):.5f}  {deviation:.5f}    {statistics.mean(trials[way]):>6.0f}  "
            f"{statistics.mean(differences):+.5f} ({better} of {len(values)})            "
            + " ".join(f"{value:.5f}" for value in values)
        )


if __name__ == "__main__":
    main()
