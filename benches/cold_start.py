"""What features tell of films and people without ratings: MovieLens 100K with a tenth of them held out.

    LOWRANK_DATA=FOLDER LOWRANK_PROGRAM=PROGRAM PYTHONPATH=python python3 benches/cold_start.py [--seeds 1,2,3,4,5]

PROGRAM is the built program, FOLDER holds the data sets; numpy and pandas are needed. Each seed holds out other films (or
people). RMSE is that of configs/movielens-100k/cold-items.toml and cold-users.toml beside the damped means of the other side
and of the features' values ("biases only"); NDCG@10, computed here from the model's scores and checked against what the
program says, that of cold-items-ranking.toml beside content k-NN. Differences are paired: the interval is that of 2000
bootstrap samples of the held-out films (or people), or of the users whose lists are ranked, of all seeds together.
"""

import argparse
import os
import tempfile
from pathlib import Path

import lowrank
import numpy as np

CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "movielens-100k"


def interval(statistic, groups, random):
    """95 % of what `statistic` is on bootstrap samples of the groups."""
    drawn = [statistic([groups[at] for at in random.integers(len(groups), size=len(groups))]) for _ in range(2000)]
    return np.percentile(drawn, [2.5, 97.5])


def held_out(run, side):
    """The test ratings as arrays of user ids, item ids and ratings, and whom or what each is held out with."""
    ratings = [line.split("\t") for line in (Path(os.environ["LOWRANK_DATA"]) / "movielens-100k" / "u.data").open()]
    field = 0 if side == "users" else 1
    trained = run.header["entities"][run.header["fields"][field]["entity"]]["trained"]
    known = set((run.users if side == "users" else run.items)[:trained])
    rows = [row for row in ratings if row[field] not in known]
    users, items = [row[0] for row in rows], [row[1] for row in rows]
    return users, items, np.array([float(row[2]) for row in rows]), [row[field] for row in rows]


def errors(run, side):
    """For each held-out row, the squared errors of the model and of biases only."""
    users, items, ratings, owners = held_out(run, side)
    biases = np.full(len(ratings), run.header["global_mean"])
    biases += run._tensors["baseline.user_offsets"][run.users.get_indexer(users)]
    biases += run._tensors["baseline.item_offsets"][run.items.get_indexer(items)]
    found = np.stack([(run.predict(users, items) - ratings) ** 2, (biases.clip(*run.header["clip"]) - ratings) ** 2], 1)
    rmse = np.sqrt(found.mean(0))
    summary = run.summary
    expected = [summary["test"]["rmse"], summary["baselines"]["biases"]["rmse"]]
    assert np.allclose(rmse, expected, atol=2e-5), (rmse, expected)
    owners = np.array(owners)
    return rmse, [found[owners == owner] for owner in np.unique(owners)]


def gains(run):
    """For each user with held-out films, NDCG@10 of the model and of content k-NN."""
    users, items, _, _ = held_out(run, "items")
    relevant = {}
    for user, item in zip(users, items):
        relevant.setdefault(user, set()).add(run.items.get_loc(item))
    columns = []
    for at, bag in enumerate(run.header["bags"]):
        if bag.get("is_feature") and bag["owner"] == run.header["fields"][1]["entity"]:
            starts, members = (run._tensors[f"bags.{at}.{name}"].astype(int) for name in ("starts", "members"))
            weights = run._tensors.get(f"bags.{at}.weights", np.ones(len(members)))
            values = np.zeros((len(run.items), members.max() + 1))
            values[np.repeat(np.arange(len(run.items)), np.diff(starts)), members] = weights
            columns.append(values)
    content = np.concatenate(columns, 1)
    content = content * np.log(len(content) / np.maximum((content > 0).sum(0), 1))
    content /= np.maximum(np.linalg.norm(content, axis=1, keepdims=True), 1e-12)
    scores = run.user_factors.to_numpy() @ run.item_factors.to_numpy().T
    if "global_mean" in run.parameters:
        scores = scores + run.item_biases.to_numpy()
    discounts = 1 / np.log2(np.arange(2, 12))
    found = []
    for user, wanted in relevant.items():
        at = run.users.get_loc(user)
        starts, seen = run._seen[0]
        met = seen[starts[at] : starts[at + 1]]
        pair = []
        for of_user in (scores[at].copy(), content @ content[met].sum(0)):
            of_user[met] = -np.inf
            # Of equal scores the item that is asked for comes last.
            order = np.lexsort((np.isin(np.arange(len(of_user)), list(wanted)), -of_user.astype(np.float32)))[:10]
            hits = np.isin(order, list(wanted))
            pair.append((hits * discounts).sum() / discounts[: len(wanted)].sum())
        found.append(pair)
    found = np.array(found)
    summary = run.summary
    expected = [summary["test"]["ndcg@10"], summary["baselines"]["content"]["ndcg@10"]]
    assert np.allclose(found.mean(0), expected, atol=2e-4), (found.mean(0), expected)
    return found


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seeds", default="1,2,3,4,5")
    seeds = [int(seed) for seed in arguments.parse_args().seeds.split(",")]
    random = np.random.default_rng(1)
    print("| held out | metric | model (each seed) | without training (each seed) | difference | 95 % interval |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for side, name in [("items", "cold-items"), ("users", "cold-users")]:
            scores, groups = [], []
            for seed in seeds:
                run = lowrank.train(CONFIGS / f"{name}.toml", settings={"seed": seed, "run.dir": folder})
                rmse, of_rows = errors(run, side)
                scores.append(rmse)
                groups += of_rows
            root = lambda sample: np.subtract(*np.sqrt(np.concatenate(sample).mean(0)))
            show(side, "RMSE", scores, root(groups), interval(root, groups, random))
        scores, groups = [], []
        for seed in seeds:
            run = lowrank.train(CONFIGS / "cold-items-ranking.toml", settings={"seed": seed, "run.dir": folder})
            found = gains(run)
            scores.append(found.mean(0))
            groups += list(found)
        mean = lambda sample: np.subtract(*np.mean(sample, axis=0))
        show("items", "NDCG@10", scores, mean(groups), interval(mean, groups, random))


def show(side, metric, scores, difference, ends):
    model, trivial = (", ".join(f"{value:.4f}" for value in column) for column in np.array(scores).T)
    means = np.mean(scores, axis=0)
    print(
        f"| {side} | {metric} | {means[0]:.4f} ({model}) | {means[1]:.4f} ({trivial}) | {difference:+.4f} | "
        f"{ends[0]:+.4f} … {ends[1]:+.4f} |",
        flush=True,
    )


main()
