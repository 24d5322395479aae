"""Vectors of words of Reuters-21578, beside GloVe's own C program: time and agreement with people.

    LOWRANK_DATA=FOLDER LOWRANK_PROGRAM=PROGRAM python3 benches/words.py [--glove BUILD] [--rounds 3]

PROGRAM is the built program, BUILD the folder with the programs of GloVe (github.com/stanfordnlp/GloVe, `make`). Words are what stands
between blanks and occurs five times or more, the window has ten words to each side that count 1/distance, vectors have 100 numbers,
x_max is 100, 25 epochs, two threads. The programs take turns; of each the median of the rounds is printed, and the ratio of times.
What an epoch takes is measured as the difference of a run of 25 epochs and one of 5 for theirs, which does not print fractions
of a second, and as the program prints it for ours. Spearman's correlations are computed by the program for both.
"""

import argparse
import gzip
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

CONFIGS = Path(__file__).resolve().parent.parent / "configs" / "recipes"
DATA = Path(os.environ["LOWRANK_DATA"])
PROGRAM = os.environ["LOWRANK_PROGRAM"]
JUDGED = [DATA / "wordsim" / name for name in ("wordsim353.tsv", "simlex999.txt")]
SETTINGS = ["data.co_occurrences.tokens=blanks", "train.threads=2", "report.tensorboard=false", "data.cache=false"]


def run(*arguments, **options):
    return subprocess.run([*map(str, arguments)], check=True, capture_output=True, **options).stdout


def timed(action):
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result


def train(config, folder, text, *more):
    settings = [f"data.path={text}", f"run.dir={folder}", *SETTINGS, *more]
    flags = [part for value in settings for part in ("--set", value)]
    summary = json.loads(run(PROGRAM, "train", CONFIGS / f"{config}.toml", "--json", "--quiet", *flags))
    directory = max(Path(folder).glob(f"{config}-*"), key=lambda path: path.stat().st_mtime)
    return summary, directory


def count(folder, text):
    """Reading and counting, and nothing else of note."""
    flags = [part for value in [f"data.path={text}", *SETTINGS] for part in ("--set", value)]
    run(PROGRAM, "train", CONFIGS / "glove.toml", "--dry-run", *flags, cwd=folder)


def agreement(directory):
    told = json.loads(run(PROGRAM, "evaluate", directory, "--similarity", *JUDGED, "--json"))
    return [of["spearman"] for of in told["similarity"]]


class Theirs:
    """GloVe's programs in a folder of their own."""

    def __init__(self, build, folder, text):
        self.build, self.folder, self.text = Path(build).resolve(), Path(folder), text

    def count(self):
        with self.text.open() as text, (self.folder / "vocab").open("wb") as out:
            subprocess.run([self.build / "vocab_count", "-min-count", "5", "-verbose", "0"], stdin=text, stdout=out, check=True)
        flags = ["-memory", "4", "-vocab-file", "vocab", "-verbose", "0", "-window-size", "10"]
        with self.text.open() as text, (self.folder / "cells").open("wb") as out:
            subprocess.run([self.build / "cooccur", *flags], stdin=text, stdout=out, check=True, cwd=self.folder)

    def shuffle(self):
        with (self.folder / "cells").open("rb") as cells, (self.folder / "shuffled").open("wb") as out:
            subprocess.run([self.build / "shuffle", "-memory", "4", "-verbose", "0", "-seed", "1"], stdin=cells, stdout=out,
                           check=True, cwd=self.folder)

    def train(self, epochs, seed):
        flags = ["-save-file", "vectors", "-threads", "2", "-input-file", "shuffled", "-x-max", "100", "-iter", epochs,
                 "-vector-size", "100", "-alpha", "0.75", "-eta", "0.05", "-binary", "0", "-model", "2", "-vocab-file", "vocab",
                 "-verbose", "0", "-seed", seed]
        run(self.build / "glove", *flags, cwd=self.folder)


def spearman(vectors):
    """Correlations of vectors in a file of text, by the same rules."""
    import numpy as np
    from scipy.stats import spearmanr

    words = {}
    for line in vectors.read_text().splitlines():
        word, *numbers = line.split(" ")
        words[word] = np.array(numbers, float)
    found = []
    for path in JUDGED:
        rows = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("#")]
        pairs = [(words.get(a.lower()), words.get(b.lower()), float(score)) for a, b, score in (row[:3] for row in rows)]
        pairs = [pair for pair in pairs if pair[0] is not None and pair[1] is not None]
        cosines = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b, _ in pairs]
        found.append(spearmanr(cosines, [score for *_, score in pairs]).statistic)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--glove")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "reuters.txt"
        text.write_bytes(gzip.decompress((DATA / "reuters" / "reuters.txt.gz").read_bytes()))
        theirs = Theirs(arguments.glove, folder, text) if arguments.glove else None
        ours_counting, theirs_counting, ours_epoch, theirs_epoch, ours_found, theirs_found = ([] for _ in range(6))
        for round in range(1, arguments.rounds + 1):
            ours_counting.append(timed(lambda: count(folder, text))[0])
            summary, directory = train("glove", folder, text, f"seed={round}")
            ours_epoch.append(summary["seconds_training"] / 25)
            ours_found.append(agreement(directory))
            if theirs:
                theirs_counting.append(timed(theirs.count)[0])
                theirs.shuffle()
                few, _ = timed(lambda: theirs.train(5, round))
                many, _ = timed(lambda: theirs.train(25, round))
                theirs_epoch.append((many - few) / 20)
                theirs_found.append(spearman(Path(folder) / "vectors.txt"))
        _, directory = train("word-information", folder, text)
        told = ["WordSim-353", "SimLex-999"]

        def line(name, values, unit=""):
            print(f"{name:52} {'  '.join(f'{value:.4f}' for value in values)}{unit}")

        median = statistics.median
        line("counting, start to end of the process, ours", [median(ours_counting)], " s")
        line("an epoch, ours", [median(ours_epoch)], " s")
        if theirs:
            line("counting (vocab_count and cooccur), theirs", [median(theirs_counting)], " s")
            line("an epoch, theirs", [median(theirs_epoch)], " s")
            line("median ratio of counting", [median(a / b for a, b in zip(ours_counting, theirs_counting))])
            line("median ratio of an epoch", [median(a / b for a, b in zip(ours_epoch, theirs_epoch))])
            line(f"{' and '.join(told)}, theirs", [median(column) for column in zip(*theirs_found)])
        line(f"{' and '.join(told)}, glove.toml", [median(column) for column in zip(*ours_found)])
        line(f"{' and '.join(told)}, word-information.toml", agreement(directory))


if __name__ == "__main__":
    main()
