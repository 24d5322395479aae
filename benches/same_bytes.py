#!/usr/bin/env python3
"""Do two builds of lowrank give the same numbers?

    python3 benches/same_bytes.py OLD NEW [--only SUBSTRING] [--epochs 2 | --full]

OLD and NEW are built programs. Both do the same, in turn and in a temporary folder: every model and solver, every loss,
early stopping with a refit, an interrupted run, every committed config and recipe of this checkout, a consensus and a
sweep, on 1 and on 3 threads. What they wrote is compared value by value: tensors and metadata of models, metrics of
each epoch, summaries, resolved configs, tables of views and trials; but no times, checkpoints and names of the machine.

A value that differs is a failure, with its largest difference, and the exit code is then 1. A key, tensor or file that
one of them lacks is only listed at the end, as are pictures that differ, and whether NEW goes on from checkpoints of
OLD. Committed configs train for at most --epochs epochs, or with --full for as many as they say. Those that need data
look for them in the folder that LOWRANK_DATA names, and are skipped where they are not there.
"""

import argparse
import array
import collections
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
import typing

# What OLD calls otherwise than NEW, and what NEW calls it: tensors and keys in JSON, TOML and tables, by their whole
# names as the lists at the end print them, such as {"user_factors": "users.factors", "[].train.rmse": "[].fit.rmse"}.
RENAMED_KEYS: dict[str, str] = {
    "users.text": "entities.0.ids.text",
    "users.ends": "entities.0.ids.ends",
    "items.text": "entities.1.ids.text",
    "items.ends": "entities.1.ids.ends",
    "titles.text": "entities.1.titles.text",
    "titles.ends": "entities.1.titles.ends",
    "lowrank.model.kind": "lowrank.model",
    "lowrank.loss.kind": "lowrank.loss",
    "lowrank.model.rank": "lowrank.values.model.rank",
    "lowrank.model.layers[]": "lowrank.values.model.layers[]",
    "lowrank.loss.delta": "lowrank.values.loss.delta",
    "lowrank.loss.level": "lowrank.values.loss.level",
    "lowrank.model.init.kind": "lowrank.values.model.init",
    "lowrank.model.init.std": "lowrank.values.model.init_std",
    "lowrank.model.init.low": "lowrank.values.model.init_low",
    "lowrank.model.init.high": "lowrank.values.model.init_high",
    "lowrank.model.biases": "lowrank.values.model.biases",
}

# Values under these keys, and under any that begins with "seconds", may differ.
UNCOMPARED = {"format_version", "ratings_per_second", "peak_memory_bytes", "threads", "device", "began", "ended"}
# The first tells of the machine, and the second has an axis of time.
UNCOMPARED_FILES = {"environment.json", "progress.png"}
# Without these there is nothing to compare.
NEEDED = {"model.safetensors", "metrics.jsonl", "summary.json", "stdout.json"}

THREADS = (1, 3)
# As in tests/program/determinism.rs, which sees to it that every model and every solver is in a pair.
PLANTED = """
data = { dataset = "synthetic", synthetic = { users = 200, items = 100, ratings = 8000 } }
model.rank = 8
solver = { batch_size = 64, schedule = { kind = "cosine", warmup = 2 } }
train = { epochs = 30, early_stopping = { patience = 29 } }
"""
PAIRS = [("mf", "stratified"), ("biased-mf", "stratified"), ("nmf", "stratified"), ("biased-mf", "als"), ("nmf", "als"),
         ("mf", "svd"), ("biased-mf", "svd"), ("nmf", "hals"), ("nmf", "multiplicative"), ("biased-mf", "adamw"),
         ("nmf", "sgd"), ("gmf", "adagrad"), ("mlp", "adam"), ("neumf", "adam"),
         ("popularity", "popularity"), ("item-knn", "item-knn"), ("ease", "ease")]
WITHOUT_RATE = ("als", "svd", "hals", "multiplicative", "popularity", "item-knn", "ease")
# These take held-out cells for zeros, so that validation cannot choose their epoch; by default nothing is held out.
WHOLE_MATRIX = ("svd", "hals", "multiplicative")
HELD_OUT = ["data.split.kind=random", "train.early_stopping.patience=0"]
COUNTS = "model.rank = 8\nsolver.learning_rate = 0.01\n"
LOSSES = ("squared", "absolute", "huber", "quantile", "logistic", "poisson", "glove")
# What a recipe is tried on, in the folder of data.
RECIPES = {"eigenfaces": "orl-faces", "parts-of-faces": "orl-faces", "lsa": "bbc-news", "topics": "bbc-news",
           "image-compression": "images/china.jpg", "gene-modules": "all-aml/ALL_AML_data.txt"}
# The files of the configs of NCF.
NCF = {"data.path": "train.rating", "data.test_path": "test.rating", "evaluation.candidates": "test.negative"}
ROOT = pathlib.Path(__file__).resolve().parent.parent


class Failed(Exception):
    """A program did not do what was asked of it."""


class Skipped(Exception):
    """What a case needs is not there."""


class Place:
    """One of the two programs, with a folder of its own to run in."""

    def __init__(self, side: str, program: pathlib.Path, folder: pathlib.Path):
        self.side, self.program, self.folder = side, str(program.resolve()), folder / side
        self.environment = os.environ | {"HOME": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache")}
        shutil.copytree(ROOT / "configs", self.folder / "configs")
        (self.folder / "planted.toml").write_text(PLANTED)
        # One file for both: its path is in the resolved configs.
        counts = folder / "counts.csv"
        (self.folder / "counts.toml").write_text(f'data.path = "{counts}"\n{COUNTS}')
        ratings = (f"{at * 7 % 97},{at * 11 % 61},{at * at % 7}\n" for at in range(4000))
        counts.write_text("".join(ratings))

    def start(self, *arguments: str, folder: pathlib.Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen([self.program, *arguments], cwd=folder or self.folder, env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def call(self, *arguments: str, folder: pathlib.Path | None = None) -> str:
        """What it prints; it must succeed."""
        process = self.start(*arguments, folder=folder)
        output, messages = process.communicate()
        if process.returncode != 0:
            errors = [line for line in messages.splitlines() if line.startswith("error: ")] or [messages[-300:]]
            raise Failed(f"{self.side} ends with {process.returncode}: {' '.join(errors)}")
        return output

    def train(self, config: str, settings: list[str]) -> pathlib.Path:
        self.call("train", config, "--quiet", *overrides(["name=run", *settings]))
        return self.folder / "runs/run-1"

    def train_until_interrupted(self, config: str, settings: list[str]) -> None:
        """Ctrl-C comes after a few epochs."""
        process = self.start("train", config, "--quiet", *overrides(["name=run", *settings]))
        metrics = self.folder / "runs/run-1/metrics.jsonl"
        while process.poll() is None and not (metrics.exists() and metrics.read_text().count("\n") >= 4):
            time.sleep(0.002)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate()
        if process.returncode != 130:
            raise Failed(f"{self.side} was not interrupted, but ended with {process.returncode}: {messages[-300:]}")

    def resume(self, folder: pathlib.Path) -> pathlib.Path:
        """Ends what was begun in the folder."""
        self.call("train", "runs/run-1/config.toml", "--resume", "--quiet", folder=folder)
        return folder / "runs/run-1"

    def printed(self, result: str, *arguments: str) -> pathlib.Path:
        """The folder of a result, with the JSON that the command prints."""
        output = self.call(*arguments, "--quiet", "--json")
        (self.folder / result / "stdout.json").write_text(output)
        return self.folder / result


def overrides(settings: list[str]) -> list[str]:
    return [word for setting in settings for word in ("--set", setting)]


# What both do, and the two folders whose files have to agree.
Run = typing.Callable[[Place, Place], tuple[pathlib.Path, pathlib.Path]]


def both(work: typing.Callable[[Place], pathlib.Path]) -> Run:
    return lambda old, new: (work(old), work(new))


def trains(config: str, settings: list[str]) -> Run:
    return both(lambda place: place.train(config, settings))


def planted_cases(threads: str, notes: set[str]) -> dict[str, Run]:
    """On planted ratings, and on counts."""
    cases = {}
    for model, solver in PAIRS:
        settings = [threads, f"model.kind={model}", f"solver.kind={solver}", "train.epochs=2"]
        settings += ["solver.learning_rate=0.01"] if solver not in WITHOUT_RATE else []
        settings += HELD_OUT if solver in WHOLE_MATRIX else []
        settings += ["solver.batch_size=0"] if solver not in (*WITHOUT_RATE, "stratified") else []
        cases[f"pair {model} {solver}"] = trains("planted.toml", settings)
    for loss in LOSSES:
        for solver in ("adam", "stratified"):
            settings = [threads, f"loss.kind={loss}", f"solver.kind={solver}", "train.epochs=3"]
            settings += ["data.binarize=3.5"] if loss == "logistic" else []
            config = "counts.toml" if loss == "poisson" else "planted.toml"
            cases[f"loss {loss} {solver}"] = trains(config, settings)
    stopped = [threads, "solver.learning_rate=0.03", "train.early_stopping.patience=2", "train.refit=true"]
    cases["early stopping and refit"] = trains("planted.toml", stopped)
    long = [threads, "train.epochs=60"]

    def resumed(old: Place, new: Place) -> tuple[pathlib.Path, pathlib.Path]:
        new.train_until_interrupted("planted.toml", long)
        return old.train("planted.toml", long), new.resume(new.folder)

    def handed_over(old: Place, new: Place) -> tuple[pathlib.Path, pathlib.Path]:
        whole = old.train("planted.toml", long).rename(old.folder / "whole")
        old.train_until_interrupted("planted.toml", long)
        try:
            result = new.resume(old.folder)
        except Failed as refusal:
            notes.add(f"resumes old checkpoint: refused with: {refusal}")
            raise Skipped(str(refusal)) from refusal
        notes.add("resumes old checkpoint: yes")
        return whole, result

    return {**cases, "NEW resumes": resumed, "NEW resumes what OLD began": handed_over}


def in_data(name: str) -> str:
    folder = os.environ.get("LOWRANK_DATA")
    if not folder or not pathlib.Path(folder, name).exists():
        raise Skipped(f"no {name} in the folder that LOWRANK_DATA names")
    return str(pathlib.Path(folder, name))


def committed_cases(threads: str, most: int | None) -> dict[str, Run]:
    """Every committed config, for at most `most` epochs; a consensus; a short sweep."""

    def settings(place: Place, config: str) -> list[str]:
        data, path = tomllib.loads((ROOT / config).read_text())["data"], []
        if data.get("dataset", "synthetic") != "synthetic":
            in_data(data["dataset"])
        if "ncf" in config:
            path = [f"{key}={in_data(f'ncf-movielens-1m/ml-1m.{file}')}" for key, file in NCF.items()]
        elif "path" in data and not (ROOT / data["path"]).exists():
            path = [f"data.path={in_data(RECIPES.get(pathlib.Path(config).stem, 'entry in RECIPES'))}"]
        epochs = tomllib.loads(place.call("config", "check", config, *overrides(path)))["train"]["epochs"]
        return [*path, threads, f"train.epochs={epochs if most is None else min(epochs, most)}"]

    files = sorted((ROOT / "configs").rglob("*.toml"))
    configs = [file.relative_to(ROOT).as_posix() for file in files if file.parent.name != "spaces"]
    cases = {config: both(lambda place, config=config: place.train(config, settings(place, config)))
             for config in configs}
    genes = "configs/recipes/gene-modules.toml"
    cases["consensus"] = both(lambda place: place.printed(
        "runs/run-consensus-1", "consensus", genes, "--ranks", "2-3", "--runs", "4",
        *overrides(["name=run", *settings(place, genes)])))
    # Half of the trials come from TPE, and some are pruned.
    few = ["name=run", "trials=8", "parallel=1", "sampler.startup=4", "pruning.min_epochs=2", f"set.{threads}"]
    cases["sweep"] = both(lambda place: place.printed(
        "runs/run-sweep-1", "sweep", "configs/spaces/quickstart.toml", *overrides(few)))
    return cases


class Values(typing.NamedTuple):
    """What stands under one name of a file, all rows together; of a tensor, also type and shape."""

    kind: str
    items: array.array | list


Names = dict[str, Values]


def of_json(value: typing.Any, name: str = "", found: Names | None = None) -> Names:
    found = {} if found is None else found
    if isinstance(value, dict):
        for key, inner in value.items():
            of_json(inner, f"{name}.{key}" if name else key, found)
    elif isinstance(value, list):
        for inner in value:
            of_json(inner, f"{name}[]", found)
    else:
        found.setdefault(name, Values("", [])).items.append(value)
    return found


def of_tensors(data: bytes) -> Names:
    """A safetensors file: the length of the header, the header, the tensors."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    found = of_json({key: json.loads(text) for key, text in header.pop("__metadata__", {}).items()})
    types = {"F32": "f", "F64": "d", "U8": "B", "U32": "I", "U64": "Q", "I32": "i", "I64": "q"}
    for name, tensor in header.items():
        first, last = tensor["data_offsets"]
        items = array.array(types[tensor["dtype"]], data[start + first : start + last])
        found[name] = Values(f" of {tensor['dtype']} {tensor['shape']}", items)
    return found


READERS: dict[str, typing.Callable[[bytes], Names]] = {
    ".safetensors": of_tensors,
    ".jsonl": lambda data: of_json([json.loads(line) for line in data.splitlines()]),
    ".json": lambda data: of_json(json.loads(data)),
    ".toml": lambda data: of_json(tomllib.loads(data.decode())),
    ".csv": lambda data: of_json(list(csv.DictReader(data.decode().splitlines()))),
}
PICTURES = {".png", ".svg"}


def difference(old: Values, new: Values) -> str | None:
    """In what they differ, if they do."""
    if (old.kind, len(old.items)) != (new.kind, len(new.items)):
        return f"OLD has {len(old.items)} values{old.kind}, NEW {len(new.items)}{new.kind}"
    if old.items == new.items if isinstance(old.items, list) else old.items.tobytes() == new.items.tobytes():
        return None
    pairs = [pair for pair in zip(old.items, new.items) if pair[0] != pair[1]]
    if not pairs:
        return "some zeros have another sign"
    count = f"{len(pairs)} of {len(old.items)} differ"
    try:
        sizes = [abs(float(a) - float(b)) for a, b in pairs]
    except (TypeError, ValueError):
        return f"{count}, the first: OLD {pairs[0][0]!r}, NEW {pairs[0][1]!r}"
    most = max(range(len(pairs)), key=lambda at: (sizes[at] != sizes[at], sizes[at]))
    return f"{count}, at most by {sizes[most]:.3g}: OLD {pairs[most][0]!r}, NEW {pairs[most][1]!r}"


def files(folder: pathlib.Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.suffix in {*READERS, *PICTURES}]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found
            if path.parent.name != "checkpoints" and path.name not in UNCOMPARED_FILES}


def compare(*folders: pathlib.Path) -> tuple[list[str], list[str], int]:
    """What differs, what is only listed, and how many values were compared."""
    old_files, new_files = map(files, folders)
    failures, listed, count = [], [], 0
    for file in sorted({*old_files, *new_files}):
        path = pathlib.Path(file)
        if file not in old_files or file not in new_files:
            lacking = f"only in {'OLD' if file in old_files else 'NEW'}: {file}"
            (failures if path.name in NEEDED else listed).append(lacking)
        elif path.suffix in PICTURES:
            listed += [f"picture differs: {file}"] if old_files[file] != new_files[file] else []
        else:
            old, new = READERS[path.suffix](old_files[file]), READERS[path.suffix](new_files[file])
            old = {RENAMED_KEYS.get(name, name): values for name, values in old.items()}
            listed += [f"only in OLD: {file}: {name}" for name in old if name not in new]
            listed += [f"only in NEW: {file}: {name}" for name in new if name not in old]
            failures += [f"{file}: no name in common"] if old.keys().isdisjoint(new) else []
            for name in [name for name in old if name in new]:
                key = name.rstrip("[]").split(".")[-1]
                if key not in UNCOMPARED and not key.startswith("seconds"):
                    count += len(old[name].items)
                    found = difference(old[name], new[name])
                    failures += [f"{file}: {name}: {found}"] if found else []
    return failures if count else [*failures, "nothing to compare"], listed, count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", metavar="OLD", type=pathlib.Path)
    parser.add_argument("new", metavar="NEW", type=pathlib.Path)
    parser.add_argument("--only", metavar="SUBSTRING", default="", help="cases with this in their name")
    parser.add_argument("--epochs", type=int, default=2, help="most epochs of a committed config (default 2)")
    parser.add_argument("--full", action="store_true", help="committed configs train for as many epochs as they say")
    options = parser.parse_args()
    for program in (options.old, options.new):
        if not os.access(program, os.X_OK):
            parser.error(f"{program} is no program")
    if os.environ.get("LOWRANK_DATA"):
        os.environ["LOWRANK_DATA"] = str(pathlib.Path(os.environ["LOWRANK_DATA"]).resolve())
    notes: set[str] = set()
    cases: dict[str, Run] = {}
    for threads in THREADS:
        setting = f"train.threads={threads}"
        runs = planted_cases(setting, notes) | committed_cases(setting, None if options.full else options.epochs)
        cases |= {f"{name}, {threads} thread{'s' * (threads > 1)}": run for name, run in runs.items()}
    outcomes: dict[str, list[str]] = collections.defaultdict(list)
    listed: dict[str, list[str]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        places = [Place("OLD", options.old, pathlib.Path(folder)), Place("NEW", options.new, pathlib.Path(folder))]
        for name, run in cases.items():
            if options.only not in name:
                continue
            for left in [place.folder / result for place in places for result in ("runs", "whole")]:
                shutil.rmtree(left, ignore_errors=True)
            began, failures = time.monotonic(), []
            try:
                failures, only_listed, count = compare(*run(*places))
                outcome, what = "DIFFERS" if failures else "same", f"{count:,} values"
                for line in only_listed:
                    listed[line].append(name)
            except Skipped as reason:
                outcome, what = "skipped", str(reason)
            except (Failed, OSError) as failure:
                outcome, what = "FAILED", str(failure)
            outcomes[outcome].append(name)
            print(f"{outcome:<8} {name:<51} {time.monotonic() - began:5.1f} s  {what}", flush=True)
            for line in failures:
                print(f"         {line}", flush=True)
    print()
    for line, of in listed.items():
        print(f"{line} ({of[0]}{f' and {len(of) - 1} more' if len(of) > 1 else ''})")
    print(*sorted(notes), sep="\n", end="\n" if notes else "")
    bad = [f"{outcome}: {name}" for outcome in ("DIFFERS", "FAILED") for name in outcomes[outcome]]
    print(*bad, sep="\n", end="\n" if bad else "")
    print(", ".join(f"{len(names)} {outcome}" for outcome, names in outcomes.items() if names) or "no such case")
    return 0 if outcomes["same"] and not bad else 1


if __name__ == "__main__":
    sys.exit(main())
