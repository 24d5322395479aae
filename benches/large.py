"""Time and memory of `lowrank train` on a generated text of a gigabyte and a generated graph of ten million edges.

    LOWRANK_PROGRAM=PROGRAM python3 benches/large.py [--gigabytes 1.0] [--edges 10] [--folder FOLDER]

PROGRAM is the built program; numpy is needed, and as much disk as the text has. The text has 200 topics: half of the words are from
300 that all texts share, half from 800 of the topic's own, each by Zipf's law, in documents of 400 words. The graph has a million
nodes with degrees that fall by a power law; a tenth of its edges is held out. Both are trained for one epoch by the recipes, at
100 numbers a word and 16 a node.
"""

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

RECIPES = Path(__file__).resolve().parent.parent / "configs" / "recipes"


def write_text(path, gigabytes):
    random = np.random.default_rng(1)
    common, own, length = 300, 800, 400

    def zipf(count):
        shares = 1 / np.arange(1, count + 1)
        return shares.cumsum() / shares.sum()

    of_common, of_own = zipf(common), zipf(own)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    # Names of numbers in letters: the words of the program are letters alone.
    names = ["".join(letters[[at // 17576 % 26, at // 676 % 26, at // 26 % 26, at % 26]]) for at in range(common + 200 * own)]
    written = 0
    with path.open("w") as file:
        while written < gigabytes * 1e9:
            topic = random.integers(200)
            shared = np.searchsorted(of_common, random.random(length))
            of_topic = common + topic * own + np.searchsorted(of_own, random.random(length))
            words = np.where(random.random(length) < 0.5, shared, of_topic)
            written += file.write(" ".join([names[word] for word in words]) + "\n")


def write_graph(path, edges):
    random = np.random.default_rng(2)
    nodes = 1_000_000
    with path.open("w") as file:
        for start in range(0, edges, 1_000_000):
            count = min(1_000_000, edges - start)
            ends = (nodes * random.random((count, 2)) ** 2).astype(int)
            file.write("".join(f"{one}\t{other}\n" for one, other in ends if one != other))


def train(recipe, data, folder, *settings):
    all = [f"data.path={data}", f"run.dir={folder}", "train.epochs=1", "report.tensorboard=false", "data.cache=false", *settings]
    flags = [part for value in all for part in ("--set", value)]
    began = time.perf_counter()
    out = subprocess.run([os.environ["LOWRANK_PROGRAM"], "train", RECIPES / f"{recipe}.toml", "--json", "--quiet", *flags],
                         check=True, capture_output=True).stdout
    summary = json.loads(out)
    print(f"{recipe}: {data.stat().st_size / 1e9:.2f} GB, {summary['num_users']:,} rows, {summary['num_ratings']:,} cells; "
          f"{time.perf_counter() - began:.0f} s in all, {summary['seconds_training']:.0f} s for the epoch, "
          f"{summary['peak_memory_bytes'] / 1e9:.1f} GB at the peak", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--edges", type=float, default=10, help="millions")
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        if arguments.gigabytes:
            text = Path(folder) / "text.txt"
            write_text(text, arguments.gigabytes)
            train("glove", text, folder)
            text.unlink()
        if arguments.edges:
            graph = Path(folder) / "graph.tsv"
            write_graph(graph, int(arguments.edges * 1e6))
            train("links", graph, folder, "model.rank=16", "solver.batch_size=65536", "train.refit=false",
                  "evaluation.metrics=['roc-auc']")


if __name__ == "__main__":
    main()
