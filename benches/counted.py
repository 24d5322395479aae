#!/usr/bin/env python3
"""Models of counts with several settings: NDCG@10 on the validation part. Nothing is chosen by a test part.

    LOWRANK_DATA=FOLDER python3 benches/counted.py LOWRANK

    LOWRANK_DATA=FOLDER python3 benches/counted.py LOWRANK msweb steam        # only logs with such names

The split is random, 80/10/10, the seed 1. What is most popular, implicit ALS, item k-NN with each weighting and number of neighbours, SLIM
with several penalties, and EASE without λ in the config and with several, where there are at most 6,000 items.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

LOGS = {"msweb": "msweb/visits.tsv", "steam, purchases": "steam/game_purchase.dat", "steam, hours": "steam/game_play.dat",
        "book-crossing, history": "book-crossing/book_history.dat", "frappe": "frappe/frappe.csv.gz",
        "movielens-1m": "ncf-movielens-1m/ml-1m.train.rating"}


def main():
    program, data = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(os.environ["LOWRANK_DATA"])
    wanted = sys.argv[2:]
    with tempfile.TemporaryDirectory() as folder:
        for name, file in LOGS.items():
            if wanted and not any(word in name for word in wanted):
                continue

            def trained(*settings):
                settings = ["seed=1", "data.split.kind=random", "data.split.test=0.1", "data.split.validation=0.1",
                            "report.tensorboard=false", "evaluation.metrics=['ndcg@10']", f"data.path={data / file}",
                            *settings]
                command = [program, "train", "c.toml", "--quiet", "--json"]
                command += [word for setting in settings for word in ("--set", setting)]
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
                if done.returncode:
                    sys.exit(done.stderr)
                return json.loads(done.stdout)

            pathlib.Path(folder, "c.toml").write_text("data.duplicates = 'last'\n")
            popular = trained("model.kind=popularity")
            items = popular["num_items"]
            print(f"{name}: {popular['num_users']} users, {items} items\n  popularity {popular['validation']['ndcg@10']:.4f}",
                  flush=True)
            implicit = trained("model.kind=mf", "model.rank=64", "solver.kind=als", "solver.feedback=implicit",
                               "solver.confidence=one", "train.epochs=15")
            print(f"  implicit als {implicit['validation']['ndcg@10']:.4f}", flush=True)
            for weighting in ("cosine", "tf-idf", "bm25"):
                values = [trained("model.kind=item-knn", f"solver.weighting={weighting}", f"model.neighbours={count}")
                          for count in (20, 50, 100, 200)]
                values = " ".join(f"{value['validation']['ndcg@10']:.4f}" for value in values)
                print(f"  item-knn {weighting}, 20, 50, 100, 200 neighbours: {values}", flush=True)
            for l1 in (0.2, 1, 3):
                values = [trained("model.kind=item-knn", "solver.kind=slim", f"solver.l1={l1}", f"solver.l2={l2}",
                                  f"model.neighbours={count}") for l2, count in ((1, 200), (10, 50), (10, 200), (100, 200))]
                values = " ".join(f"{value['validation']['ndcg@10']:.4f}" for value in values)
                print(f"  slim, l1 {l1}, l2 1, 10 (50 neighbours), 10, 100: {values}", flush=True)
            for penalty in (None, 50, 200, 500, 1000) if items <= 6000 else ():
                given = [f"solver.regularization.item_weights={penalty}"] if penalty else []
                value = trained("model.kind=ease", *given)
                print(f"  ease, {penalty or 'default'} {value['validation']['ndcg@10']:.4f}", flush=True)


main()
