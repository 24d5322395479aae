#!/usr/bin/env python3
"""Kills lowrank at random moments: a resumed run must end with what an undisturbed one ends with.

    python3 tests/scripts/kill.py LOWRANK [--kills 100] [--seed 1]

Takes the pairs of model and solver of benches/same_bytes.py, a run with a refit and a sweep in turn. Each is killed
(SIGKILL) at moments that follow from the seed, once or several times, and resumed; tensors, metrics of every epoch,
summary, resolved config, best config and trials must then be those of a run that nobody disturbed, but for times.
"""

import argparse
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "benches"))
from same_bytes import HELD_OUT, PAIRS, PLANTED, WHOLE_MATRIX, WITHOUT_RATE, compare, overrides  # noqa: E402

SPACE = """
base = "planted.toml"
trials = 8
parallel = 1
sampler.startup = 4
set.train.epochs = 12
set.train.early_stopping.patience = 3
space.model.rank = { int = [2, 8], log = true }
space.solver.learning_rate = { log_uniform = [1e-3, 3e-2] }
"""


def cases():
    """Name, arguments of a first start, arguments that resume, settings, and what the folder of the result is called."""
    resume = ["train", "planted.toml", "--resume", "--quiet"]
    for model, solver in PAIRS:
        settings = [f"model.kind={model}", f"solver.kind={solver}"]
        settings += HELD_OUT if solver in WHOLE_MATRIX else []
        settings += ["train.epochs=40"] if solver not in WITHOUT_RATE else []
        settings += ["solver.schedule.kind=cosine"] if solver not in WITHOUT_RATE else []
        yield f"{model} {solver}", ["train", "planted.toml", "--quiet"], resume, settings, "planted"
    refit = ["train.refit=true", "train.early_stopping.patience=3", "solver.learning_rate=0.03"]
    yield "refit", ["train", "planted.toml", "--quiet"], resume, refit, "planted"
    yield "sweep", ["sweep", "s.toml", "--quiet"], ["sweep", "s.toml", "--resume", "--quiet"], [], "s-sweep"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    program, random_ = str(pathlib.Path(arguments.program).resolve()), random.Random(arguments.seed)
    base = PLANTED.replace(', schedule = { kind = "cosine", warmup = 2 }', "").replace("batch_size = 64", "")
    base = "\n".join(line for line in base.splitlines() if not line.startswith("solver"))
    kills = faults = late = 0
    known = {}
    with tempfile.TemporaryDirectory() as root:
        root = pathlib.Path(root)

        def place(name):
            folder = root / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            (folder / "planted.toml").write_text(base)
            (folder / "s.toml").write_text(SPACE)
            return folder

        def start(folder, words):
            environment = os.environ | {"HOME": str(root), "XDG_CACHE_HOME": str(root / "cache")}
            return subprocess.Popen([program, *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def finished(folder, result):
            """The folder of a result; a start that was killed early may have left an empty one before it."""
            ended = [path.parent for path in (folder / "runs").glob(f"{result}-[0-9]*/summary.json")]
            ended += [path.parent for path in (folder / "runs").glob(f"{result}-[0-9]*/best.toml")]
            return ended[-1] if ended else folder

        turns = list(cases())
        while kills < arguments.kills:
            name, first, resume, settings, result = turns[(kills + faults) % len(turns)]
            more = overrides(settings)
            if name not in known:
                whole = place(f"whole {name}")
                began = time.monotonic()
                process = start(whole, first + more)
                _, messages = process.communicate()
                assert process.returncode == 0, f"{name}: {messages}"
                known[name] = whole, time.monotonic() - began
            whole, seconds = known[name]
            cut, words = place("cut"), first
            for _ in range(random_.choice([1, 1, 1, 2, 3])):
                process = start(cut, words + more)
                time.sleep(random_.uniform(0, 1.05) * seconds)
                late += process.poll() is not None
                process.kill()
                process.communicate()
                kills += 1
                # Before these files are written there is nothing to resume.
                begun = any((cut / "runs").glob("*/environment.json")) or any((cut / "runs").glob("*/space.toml"))
                words = resume if begun else first
            process = start(cut, words + more)
            _, messages = process.communicate()
            found = [messages.strip()[-300:]] if process.returncode else compare(finished(whole, result), finished(cut, result))[0]
            if found:
                faults += 1
                print(f"{name}: after {kills} kills: " + "; ".join(found[:5]), flush=True)
    print(f"{kills} kills, {late} of them after the end; {faults} results that differ")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
