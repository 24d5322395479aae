#!/usr/bin/env python3
"""Time and memory of `lowrank train` from 1 to 100 million planted ratings, as a Markdown table.

    cargo build --release
    python3 benches/scale.py [--program target/release/lowrank] [--folder FOLDER] [--largest MILLIONS]

Each size is written by `lowrank data synth` and trained for one epoch of `biased-mf`, in batches of 65,536 with touched
rows: at rank 64 from the text, which leaves a binary copy, then at rank 64 and at rank 2 from that copy. A start (rank
64) is the time from starting the program to the end of its first step, when the progress bar first shows; from the text
it includes writing the copy. 100 million ratings take 6 GB of disk, which are free again at the end.
"""

import argparse
import fcntl
import json
import os
import pathlib
import pty
import shutil
import struct
import subprocess
import tempfile
import termios
import time
import typing

# Millions of ratings, users, items.
SIZES = [(1, 6_040, 3_706), (3, 40_000, 10_000), (10, 138_000, 27_000), (30, 300_000, 60_000),
         (100, 1_000_000, 100_000)]
SETTINGS = ["solver.kind=adam", "solver.batch_size=65536", "solver.rows=touched", "train.epochs=1",
            "train.checkpoint_every=0", "report.tensorboard=false"]


class Run(typing.NamedTuple):
    """Seconds to the first step, seconds of the epoch, and gigabytes of memory at the peak."""

    start: float
    epoch: float
    memory: float


def train(program, folder, rank):
    """One run in `folder`."""
    shutil.rmtree(folder / "runs", ignore_errors=True)
    command = [program, "train", "scale.toml", "--set", f"model.rank={rank}"]
    for setting in SETTINGS:
        command += ["--set", setting]
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    environment = os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "TERM": "xterm"}
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown, start = b"", None
    while True:
        try:
            chunk = os.read(ours, 1 << 16)
        except OSError:  # How Linux says that the other side is closed.
            break
        if not chunk:
            break
        shown += chunk
        if start is None and b" batches" in shown:
            start = time.monotonic() - began
    os.close(ours)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(shown.decode(errors="replace"))
    summary = json.loads(next(folder.glob("runs/*/summary.json")).read_text())
    return Run(start, summary["seconds_training"], usage.ru_maxrss * 1024 / 1e9)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default="target/release/lowrank")
    parser.add_argument("--folder", help="where files are written; a temporary folder where not given")
    parser.add_argument("--largest", type=float, default=100, help="stop after this many million ratings")
    options = parser.parse_args()
    program = str(pathlib.Path(options.program).resolve())
    print("| ratings (users × items) | text | copy | start from text | start from copy | epoch, rank 64 "
          "| epoch, rank 2 | memory, rank 64 | memory, rank 2 |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for millions, users, items in SIZES:
        if millions > options.largest:
            break
        with tempfile.TemporaryDirectory(dir=options.folder) as name:
            folder = pathlib.Path(name)
            subprocess.run([program, "data", "synth", "ratings.csv", "--users", str(users), "--items", str(items),
                            "--ratings", str(millions * 1_000_000)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            (folder / "scale.toml").write_text('data.path = "ratings.csv"\nmodel.kind = "biased-mf"\n')
            first = train(program, folder, 64)
            second = train(program, folder, 64)
            small = train(program, folder, 2)
            text = (folder / "ratings.csv").stat().st_size
            copy = sum(file.stat().st_size for file in folder.glob("cache/lowrank/ratings/*"))
            print(f"| {millions} M ({users:,} × {items:,}) | {text / 1e6:.0f} MB | {copy / 1e6:.0f} MB "
                  f"| {first.start:.2f} s | {second.start:.2f} s | {second.epoch:.1f} s | {small.epoch:.1f} s "
                  f"| {max(first.memory, second.memory):.2f} GB | {small.memory:.2f} GB |", flush=True)


if __name__ == "__main__":
    main()
