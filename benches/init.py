#!/usr/bin/env python3
"""What `lowrank init` proposes, beside what else the program has.

    LOWRANK_DATA=FOLDER python3 benches/init.py LOWRANK

Events: NDCG@10 on the validation part beside that of what is most popular, and of item k-NN, and divided by the largest
of others with their defaults. Ratings: RMSE on the
validation part of the proposed config, divided by the smallest of all models and solvers with their defaults; nothing is
chosen by a test part. All splits are those of the proposed config, the seed is 1, and nothing is retrained at the end.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

EVENTS = [("msweb/visits.tsv",), ("steam/game_play.dat",), ("steam/game_purchase.dat",), ("book-crossing/book_history.dat",),
          ("frappe/frappe.csv.gz",), ("ncf-movielens-1m/ml-1m.train.rating", "--goal", "lists")]
RATINGS = ["movielens-100k/u.data", "movielens-latest-small/ratings.csv", "filmtrust/ratings.txt",
           "book-crossing/book_ratings.dat"]
# What else learns from events: model, solver, and further settings.
RANKERS = [("mf", "als", "solver.feedback=implicit", "train.epochs=15"),
           ("biased-mf", "stratified", "loss.kind=bpr", "train.epochs=40"),
           ("biased-mf", "stratified", "loss.kind=warp", "train.epochs=40"), ("item-knn", "item-knn"), ("item-knn", "slim"),
           ("ease", "ease")]
OTHERS = [("mf", "adam"), ("biased-mf", "adam"), ("nmf", "adam"), ("neumf", "adam"), ("mf", "als"), ("biased-mf", "stratified")]


def main():
    program, data = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(os.environ["LOWRANK_DATA"])
    with tempfile.TemporaryDirectory() as folder:
        def trained(config, *settings):
            settings = ["train.refit=false", "report.tensorboard=false", *settings]
            command = [program, "train", config, "--quiet", "--json"] + [word for s in settings for word in ("--set", s)]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            return json.loads(done.stdout) if done.returncode == 0 else None

        def proposed(file, *rest):
            subprocess.run([program, "init", data / file, "-o", "c.toml", "--force", *rest], cwd=folder, check=True,
                           capture_output=True)
            return "c.toml"

        for file, *rest in EVENTS:
            # Without a test part the baselines are of the validation part.
            result = trained(proposed(file, *rest), "data.split.test=0.0")
            own, baselines = result["validation"]["ndcg@10"], result["baselines"]
            popular = baselines["popularity"]["ndcg@10"]
            neighbours = baselines.get("item_knn", {}).get("ndcg@10", float("nan"))
            best = ("", 0.0)
            for model, solver, *settings in RANKERS:
                other = trained("c.toml", "data.split.test=0.0", f"model.kind={model}", f"solver.kind={solver}", *settings)
                if other and other["validation"]["ndcg@10"] > best[1]:
                    best = (f"{model} {solver} {' '.join(settings)}", other["validation"]["ndcg@10"])
            print(f"{file:<36} {result['model']:<9} ndcg@10 {own:.4f}, most popular {popular:.4f}, item k-NN {neighbours:.4f}, "
                  f"{own / best[1]:.3f} of {best[0]}", flush=True)
        for file in RATINGS:
            config = proposed(file)
            own = trained(config)["validation"]["rmse"]
            # Keys of the proposed solver do not apply to others.
            (pathlib.Path(folder) / "o.toml").write_text(f"data.path = {json.dumps(str(data / file))}\n")
            errors = {}
            for model, solver in OTHERS:
                result = trained("o.toml", f"model.kind={model}", f"solver.kind={solver}", "data.split.test=0.1",
                                 "data.split.validation=0.1")
                if result:
                    errors[f"{model} {solver}"] = result["validation"]["rmse"]
            best = min(errors, key=errors.get)
            print(f"{file:<36} RMSE {own:.4f}, {own / errors[best]:.3f} of {best}", flush=True)


main()
