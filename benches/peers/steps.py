"""One step of `biased-mf` here and in PyTorch, in turn: medians, and medians of the ratios within a round, as Markdown.

    cargo bench --no-run                              # prints where the program `training` lies
    python3 benches/peers/steps.py target/release/deps/training-…  [--rounds 7]

PyTorch has to be importable (`pip install torch`). Both sides have as many threads as there are cores; a round runs every
way once, so that what else the machine does falls on all alike. The last table is of tables ten times as large at the same
batch with as many distinct rows.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

SHAPES = [(943, 1682, 1024), (6040, 3706, 1024), (6040, 3706, 8192), (138_000, 27_000, 65_536)]
WAYS = ["touched", "all", "torch adam", "torch sparse-adam"]
GROWN = [("biased-mf", 1), ("neumf", 2)]
GROWTH = [(6040, 3706, 8192), (13_800, 2700, 65_536)]
UNITS = {"ns": 1e-6, "µs": 1e-3, "ms": 1, "s": 1e3}


def bench(program, name, kind, sizes):
    """The median of divan's line for a bench, in milliseconds."""
    case = "(" + ", ".join(map(str, sizes)) + ")"
    pattern = f"{name}::{kind}::{re.escape(case)}"
    output = subprocess.run([program, "--bench", pattern], capture_output=True, text=True, check=True).stdout
    line = next(line for line in output.splitlines() if case in line)
    median = line.split("│")[-4].split()
    return float(median[0]) * UNITS[median[1]]


def torch(optimizer, users, items, batch):
    script = Path(__file__).with_name("torch_step.py")
    command = [sys.executable, script, "--optimizer", optimizer, "--users", users, "--items", items, "--batch", batch]
    command += ["--threads", os.cpu_count()]
    output = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout
    return json.loads(output)["milliseconds"]


def step(program, way, shape):
    if way.startswith("torch "):
        return torch(way.removeprefix("torch "), *shape)
    return bench(program, f"step_{way}", 1, shape)


def ratio(times, over, under):
    return statistics.median(a / b for a, b in zip(times[over], times[under]))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    program, rounds = arguments.program, range(arguments.rounds)

    print("| users × items, batch | " + " | ".join(f"{way}, ms" for way in WAYS) + " | each ÷ touched |")
    print("|---" * (len(WAYS) + 2) + "|")
    for shape in SHAPES:
        times = {way: [] for way in WAYS}
        for _ in rounds:
            for way in WAYS:
                times[way].append(step(program, way, shape))
        medians = " | ".join(f"{statistics.median(times[way]):.2f}" for way in WAYS)
        ratios = ", ".join(f"{ratio(times, way, 'touched'):.1f}" for way in WAYS[1:])
        print(f"| {shape[0]} × {shape[1]}, {shape[2]} | {medians} | {ratios} |", flush=True)

    print("\n| model, users × items, batch | ms | ten times the tables, ms | ratio |\n|---|---|---|---|")
    for kind, number in GROWN:
        for shape in GROWTH:
            times = {growth: [] for growth in (1, 10)}
            for _ in rounds:
                for growth in times:
                    times[growth].append(bench(program, "step_grown", number, (*shape, growth)))
            medians = " | ".join(f"{statistics.median(of_growth):.2f}" for of_growth in times.values())
            print(f"| {kind}, {shape[0]} × {shape[1]}, {shape[2]} | {medians} | {ratio(times, 10, 1):.2f} |", flush=True)


if __name__ == "__main__":
    main()
