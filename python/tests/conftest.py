"""A tiny data set and runs of it, trained once."""

import json
import subprocess
from pathlib import Path

import lowrank
import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def ratings() -> pd.DataFrame:
    """Ratings whose ids are texts that need quotes, signs and more than ASCII."""
    random = np.random.default_rng(1)
    users = [f"{number}" for number in range(20)] + ["-3", "Zoë", 'a "b"', "x,y"]
    items = [f"i{number}" for number in range(15)] + ["-q", "naïve"]
    pairs = [(user, item) for user in range(len(users)) for item in range(len(items))]
    chosen = random.permutation(len(pairs))[:300]
    factors, others = random.normal(size=(len(users), 2)), random.normal(size=(len(items), 2))
    rows = [(users[user], items[item], factors[user] @ others[item]) for user, item in (pairs[at] for at in chosen)]
    table = pd.DataFrame(rows, columns=["user", "item", "rating"])
    table["rating"] = (3 + table["rating"]).clip(1, 5).round(2)
    return table


CONFIG = {"model": {"rank": 3}, "train.epochs": 4, "solver.batch_size": 32, "train.threads": 1}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, ratings: pd.DataFrame) -> Path:
    folder = tmp_path_factory.mktemp("place")
    ratings.to_csv(folder / "r.csv", index=False)
    titles = pd.DataFrame({"item": ["i0", "i1", "naïve"], "title": ["Zero, the film", 'One "1"', "Été"]})
    titles.to_csv(folder / "titles.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def run(folder: Path) -> lowrank.Run:
    """A biased model of the ratings file, with titles."""
    data = {"path": folder / "r.csv", "titles": {"path": folder / "titles.csv"}}
    return lowrank.train({**CONFIG, "data": data, "run.dir": folder / "runs", "name": "biased"})


def prints(*arguments: object):
    """What the program prints with `--json`, called as a user would."""
    command, *others = map(str, arguments)
    called = subprocess.run(
        [lowrank.find_program(), command, "--json", *others], check=True, capture_output=True, text=True
    )
    return json.loads(called.stdout)
