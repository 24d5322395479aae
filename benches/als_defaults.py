"""ALS's default penalties beside Adam's defaults: validation RMSE on the sets of ratings of the catalog.

    LOWRANK_DATA=FOLDER python3 benches/als_defaults.py target/release/lowrank [SET ...]

Both train biased-mf with nothing set but the data and the seed (1, 2, 3). Only validation parts are looked at.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SETS = ["movielens-100k", "movielens-1m", "movielens-latest-small", "filmtrust", "book-crossing", "steam"]
SEEDS = [1, 2, 3]


def validation_rmse(program, name, solver, seed, folder):
    settings = [f"name={name}-{solver}-{seed}", f"run.dir={folder}", f"data.dataset={name}", f"solver.kind={solver}"]
    config = folder / "empty.toml"
    config.touch()
    command = [program, "train", config, "--quiet", "--set", f"seed={seed}"]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    summary = folder / f"{name}-{solver}-{seed}-1" / "summary.json"
    return json.loads(summary.read_text())["validation"]["rmse"]


def main():
    program, *sets = sys.argv[1:]
    print("| ratings | `adam` | `als` | als over adam, mean (each seed) |\n|---|---|---|---|")
    for name in sets or SETS:
        with tempfile.TemporaryDirectory() as folder:
            adam, als = (
                [validation_rmse(program, name, solver, seed, Path(folder)) for seed in SEEDS]
                for solver in ("adam", "als")
            )
        ratios = [ours / theirs for ours, theirs in zip(als, adam)]
        each = " ".join(f"{ratio:.3f}" for ratio in ratios)
        means = [statistics.mean(values) for values in (adam, als, ratios)]
        print(f"| {name} | {means[0]:.4f} | {means[1]:.4f} | {means[2]:.3f} ({each}) |", flush=True)


if __name__ == "__main__":
    main()
