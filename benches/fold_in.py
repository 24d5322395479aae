"""How close new users who are folded in come to training with them: RMSE, or NDCG@10, on what is asked of them.

    LOWRANK_DATA=FOLDER python3 benches/fold_in.py LOWRANK [--data movielens-100k] [--seeds 1,2,3]

LOWRANK is the built program, FOLDER holds the data sets. A tenth of the users is new, and a fifth of the ratings of each of
them is asked. "folded in" trains on all other users and takes the new ones in by the rest of their ratings; "trained with
them" trains on that rest, too. Both are evaluated by the same ratings. Events are all ratings, as 1.
"""

import argparse
import csv
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

RATINGS = {
    "biased-mf, als": "model.kind=biased-mf model.rank=16 solver.kind=als train.epochs=15",
    "biased-mf, stratified": "model.kind=biased-mf model.rank=16 solver.kind=stratified train.epochs=20",
    "nmf, als": "model.kind=nmf model.rank=16 solver.kind=als train.epochs=15",
    "biased-mf, absolute loss": "model.kind=biased-mf model.rank=16 loss.kind=absolute solver.kind=stratified train.epochs=20",
    "neumf, adam": "model.kind=neumf model.rank=16 solver.kind=adam train.epochs=10",
}
EVENTS = {
    "mf, implicit als": "model.kind=mf model.rank=32 solver.kind=als solver.feedback=implicit train.epochs=10",
    "mf, bpr": "model.kind=mf model.rank=32 loss.kind=bpr solver.kind=stratified train.epochs=40",
    "biased-mf, warp": "model.kind=biased-mf model.rank=32 loss.kind=warp solver.kind=stratified train.epochs=40",
    "ease": "model.kind=ease",
    "item-knn": "model.kind=item-knn",
}


def write(path, rows):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("user", "item", "rating"), *rows])


def divided(rows, seed):
    """Ratings of others, those given of new users, and those asked of them."""
    draw = random.Random(seed)
    users = sorted({user for user, _, _ in rows})
    new = set(draw.sample(users, len(users) // 10))
    others, given, asked = [], [], []
    for user in users:
        own = [row for row in rows if row[0] == user]
        if user not in new:
            others += own
            continue
        draw.shuffle(own)
        cut = max(1, round(0.8 * len(own)))
        given += own[:cut]
        asked += own[cut:]
    return others, given, asked


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("lowrank")
    arguments.add_argument("--data", default="movielens-100k")
    arguments.add_argument("--seeds", default="1,2,3")
    options = arguments.parse_args()
    program = str(Path(options.lowrank).resolve())
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)

        def call(*command):
            done = subprocess.run([program, *map(str, command)], cwd=folder, capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"lowrank {' '.join(map(str, command))}\n{done.stderr}")
            return done.stdout

        rows = ratings(options.data)
        print("| model | metric | folded in | trained with them | ratio (each seed) |\n|---|---|---|---|---|")
        for models, metric, is_event in [(RATINGS, "rmse", False), (EVENTS, "ndcg@10", True)]:
            taken = [(user, item, "1" if is_event else rating) for user, item, rating in rows]
            results = {name: [] for name in models}
            for seed in map(int, options.seeds.split(",")):
                others, given, asked = divided(taken, seed)
                for name, part in {"others": others, "given": given, "asked": asked, "both": others + given}.items():
                    write(folder / f"{name}.csv", part)
                for name, keys in models.items():
                    scores = []
                    for data in ["others", "both"]:
                        run = f"{data}-{seed}-{name}".replace(" ", "").replace(",", "-")
                        (folder / "c.toml").write_text(f'name = "{run}"\nseed = {seed}\ndata.path = "{data}.csv"\n')
                        settings = [*keys.split(), "data.split.kind=none", "report.tensorboard=false"]
                        call("train", "c.toml", "--quiet", *(word for key in settings for word in ("--set", key)))
                        run = folder / "runs" / f"{run}-1"
                        if data == "others":
                            call("fold-in", run, "given.csv", "--to", f"{run}-grown")
                            run = f"{run}-grown"
                        printed = call("evaluate", run, "--data", "asked.csv", "--metrics", metric, "--json")
                        scores.append(json.loads(printed)["model"][metric])
                    results[name].append(scores)
            for name, scores in results.items():
                means = [sum(score) / len(scores) for score in zip(*scores)]
                each = " ".join(f"{folded / trained:.3f}" for folded, trained in scores)
                print(f"| {name} | {metric} | {means[0]:.4f} | {means[1]:.4f} | {means[0] / means[1]:.3f} ({each}) |", flush=True)


def ratings(name):
    """User, item and rating of a data set, as texts."""
    folder = Path(os.environ["LOWRANK_DATA"]) / name
    found = next(path for path in [folder / "u.data", folder / "ratings.dat", folder / "ratings.csv"] if path.is_file())
    text = found.read_text(encoding="latin-1").replace("::", "\t")
    lines = [line.replace(",", "\t").split("\t") for line in text.splitlines()]
    return [tuple(line[:3]) for line in lines if line[0][:1].isdigit()]


if __name__ == "__main__":
    main()
