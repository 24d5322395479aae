#!/usr/bin/env python3
"""Damaged inputs of every kind that lowrank reads: each must be understood or refused, and never more than that.

    python3 tests/scripts/mutate.py LOWRANK [--count 150] [--seed 1] [--only KIND] [--keep FOLDER]

Writes a good input of each kind, damages it in `count` ways that follow from the seed, and calls the program on each. It
must exit with 0, 2 or 3 within 30 seconds and with at most 2 GB of memory; what it prints must not speak of a panic. The
exit code is 1 if it does anything else; such inputs are kept in FOLDER.
"""

import argparse
import base64
import bz2
import collections
import gzip
import io
import lzma
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib

SECONDS = 30
MOST_MEMORY = 2 << 30
# A grey picture of 16 × 12 pixels.
JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqmx5mo"
    "q6T/wAALCAAMABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAgP/xAAkEAAABQMCBwAAAAAAAAAAAAABAgMEEQAFITFREiIjM2Gh8P/aAAgBAQAAPwAs"
    "Lbpy1VzcU2/QZAVVQS90BkpB8bj9nShfHCqSxGaRuBI6UngMmkRCJ2x7GiwQTxiv/9k=")
# Bytes that mean something to one reader or another.
TOKENS = [b"", b"\0", b"\n", b"\r\n", b",", b";", b"\t", b'"', b"'", b"::", b" ", b"#", b"%", b"-", b"+", b".", b"e", b"=",
          b"[", b"]", b"{", b"}", b"0", b"-1", b"1e309", b"-1e39", b"nan", b"NaN", b"inf", b"NA", b"99999999999999999999",
          b"4294967296", b"2147483648", b"65536", b"1e-400", b"0x10", b"true", b"\xff", b"\xfe\xff", b"\xef\xbb\xbf",
          b"\x1f\x8b", b"\x1b[31m", "é".encode(), "é".encode("latin-1"), "\u0301".encode(), b"A" * 5000, b"\n" * 300]


def table(random_, rows, columns):
    return [[round(random_.uniform(0, 9), 2) for _ in range(columns)] for _ in range(rows)]


def png(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + bytes((x * 15 + y * 20) % 256 for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def npy(shape, kind, cells):
    """An array as numpy writes it; `kind` is a pair of its name and that of struct. Bytes are cells as they are."""
    body = cells if isinstance(cells, bytes) else struct.pack(f"<{len(cells)}{kind[1]}", *cells)
    header = f"{{'descr': '{kind[0]}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + body


def packed(members):
    """A zip archive of these files."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return file.getvalue()


def mutated(random_, content):
    """`content` with a few changes."""
    data = bytearray(content)
    for _ in range(random_.choice([1, 1, 1, 2, 3, 8])):
        at = random_.randrange(len(data) + 1)
        length = random_.choice([1, 1, 2, 4, 8, 30, max(1, len(data) // 3)])
        match random_.randrange(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << random_.randrange(8)
            case 1 if data:
                data[at % len(data)] = random_.randrange(256)
            case 2:
                del data[at:at + length]
            case 3:
                data[at:at] = data[at:at + length]
            case 4:
                data[at:at] = random_.randbytes(length)
            case 5:
                data[at:at + random_.choice([0, 1, len(TOKENS[-2])])] = random_.choice(TOKENS)
            case 6:
                del data[at:]
            case 7:
                other = random_.randrange(len(data) + 1)
                data[at:at + length], data[other:other + length] = data[other:other + length], data[at:at + length]
    return bytes(data)


class Program:
    def __init__(self, path, folder):
        self.path, self.folder = str(pathlib.Path(path).resolve()), folder
        self.environment = os.environ | {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
        self.environment.pop("LOWRANK_DATA", None)

    def call(self, *arguments):
        """Exit code (a text if it had to be killed), what went wrong, and bytes of memory."""
        with tempfile.TemporaryFile() as messages:
            limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
            process = subprocess.Popen([self.path, *arguments], cwd=self.folder, env=self.environment, preexec_fn=limit,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=messages)
            killed = threading.Event()
            timer = threading.Timer(SECONDS, lambda: (killed.set(), os.kill(process.pid, signal.SIGKILL)))
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            messages.seek(0)
            text = messages.read().decode(errors="replace")
        code = f"hangs for {SECONDS} s" if killed.is_set() else process.returncode
        return code, text, usage.ru_maxrss * 1024


def kinds(program, random_):
    """Name, file, good content, and the commands that read it; the files they need are written."""
    folder = program.folder
    train = ["train", "c.toml", "--quiet", "--set", "train.epochs=1", "--set", "model.rank=2", "--set"]
    lists = "user,item,rating,timestamp\n" + "".join(
        f"u{random_.randrange(20)},i{random_.randrange(15)},{random_.randrange(1, 6)},{1600000000 + at}\n"
        for at in range(150))
    cells = table(random_, 12, 8)
    dense = "gene," + ",".join(f"s{at}" for at in range(8)) + "\n" + "".join(
        f"g{at}," + ",".join(map(str, row)) + "\n" for at, row in enumerate(cells))
    market = "%%MatrixMarket matrix coordinate real general\n% a comment\n12 8 96\n" + "".join(
        f"{row + 1} {column + 1} {value}\n" for row, values in enumerate(cells) for column, value in enumerate(values))
    pgm = b"P5\n# grey\n16 12\n255\n" + bytes((x * 15 + y * 20) % 256 for y in range(12) for x in range(16))
    words = ["alpha", "beta", "gamma", "delta", "épsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"]
    documents = "".join(" ".join(random_.choices(words, k=5)) + ".\n" for _ in range(40))
    titles = "item,title\n" + "".join(f"i{at},\"Title, {at}\"\n" for at in range(15))
    (folder / "good.csv").write_text(lists)
    (folder / "good_titles.csv").write_text(titles)
    (folder / "c.toml").write_text("")
    whole = ["--set", "model.kind=nmf", "--set", "solver.kind=hals"]
    array = npy((12, 8), ("<f8", "d"), [value for row in cells for value in row])
    sparse = packed({
        "format.npy": npy((), ("|S3", ""), b"csr"),
        "shape.npy": npy((2,), ("<i8", "q"), [12, 8]),
        "indptr.npy": npy((13,), ("<i4", "i"), list(range(0, 97, 8))),
        "indices.npy": npy((96,), ("<i4", "i"), list(range(8)) * 12),
        "data.npy": npy((96,), ("<f8", "d"), [value for row in cells for value in row]),
    })
    baskets = "".join(f"u{at}: " + " ".join(f"i{random_.randrange(15)}" for _ in range(5)) + "\n" for at in range(30))
    for name, content, more in [
        ("r.csv", lists, []),
        ("r.tsv", lists.replace(",", "\t").split("\n", 1)[1], []),
        ("m.mtx", market, whole),
        ("d.txt", dense, ["--set", "data.format=dense", *whole]),
        ("p.pgm", pgm, whole),
        ("p.png", png(16, 12), whole),
        ("p.jpg", JPEG, whole),
        ("t.txt", documents, ["--set", "data.format=documents", *whole]),
        ("a.npy", array, whole),
        ("s.npz", sparse, whole),
        ("b.txt", baskets, ["--set", "data.format=baskets"]),
        ("r.csv.gz", gzip.compress(lists.encode()), []),
        ("r.csv.bz2", bz2.compress(lists.encode()), []),
        ("r.csv.xz", lzma.compress(lists.encode()), []),
        ("r.csv.zip", packed({"r.csv": lists}), []),
    ]:
        content = content if isinstance(content, bytes) else content.encode()
        inspect = ["inspect", name] + (["--format", more[1].split("=")[1]] if "data.format" in "".join(more) else [])
        yield name, name, content, [[*train, f"data.path={name}", *more], inspect]
    yield "titles", "titles.csv", titles.encode(), [
        [*train, "data.path=good.csv", "--set", "data.titles.path=titles.csv"]]
    config = ("name = 'x'\nseed = 3\n[data]\npath = 'good.csv'\nsplit = { kind = 'random', test = 0.2, validation = 0.1 }\n"
              "titles = { path = 'good_titles.csv' }\n[model]\nkind = 'biased-mf'\nrank = 3\ninit_std = 0.1\n[loss]\n"
              "kind = 'huber'\ndelta = 1.5\n[solver]\nkind = 'adam'\nlearning_rate = 0.01\nbatch_size = 64\n"
              "schedule = { kind = 'cosine', warmup = 1 }\nregularization = { user_factors = 0.1, item_biases = 0.01 }\n"
              "[train]\nepochs = 2\nearly_stopping = { patience = 1 }\n")
    yield "config", "own.toml", config.encode(), [["config", "check", "own.toml"]]
    space = ("base = 'base.toml'\ntrials = 4\nsampler.kind = 'tpe'\n[set]\ntrain.epochs = 1\n[space]\n"
             "model.rank = { int = [2, 8], log = true }\nsolver.learning_rate = { log_uniform = [1e-3, 1e-1] }\n"
             "loss.kind = { choice = ['squared', 'absolute'] }\n")
    (folder / "base.toml").write_text(config.replace("huber", "squared").replace("delta = 1.5\n", ""))
    yield "space", "s.toml", space.encode(), [["sweep", "s.toml", "--check"]]
    (folder / "model.toml").write_text(config.replace("'x'", "'m'"))
    code, text, _ = program.call("train", "model.toml", "--quiet")
    assert code == 0, text
    model = (folder / "runs/m-1/model.safetensors").read_bytes()
    yield "model", "model.safetensors", model, [
        ["predict", "model.safetensors", "u1", "i1"], ["recommend", "model.safetensors", "u1"],
        ["components", "model.safetensors"], ["evaluate", "model.safetensors", "--data", "good.csv"]]
    last = "runs/m-1/checkpoints/last.safetensors"
    checkpoint = (folder / last).read_bytes()
    (folder / "runs/m-1/model.safetensors").unlink(missing_ok=True)
    yield "checkpoint", last, checkpoint, [["train", "runs/m-1/config.toml", "--resume", "--quiet"]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--keep", type=pathlib.Path)
    arguments = parser.parse_args()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        program = Program(arguments.program, pathlib.Path(folder))
        for name, file, content, commands in kinds(program, random.Random(f"inputs {arguments.seed}")):
            if arguments.only not in (None, name):
                continue
            path = program.folder / file
            saved = {}
            if name == "checkpoint":
                saved = {other: other.read_bytes() for other in (program.folder / "runs/m-1").rglob("*") if other.is_file()}
            path.write_bytes(content)
            for command in commands:
                code, text, _ = program.call(*command)
                assert code == 0, f"the undamaged {name} must be read: {text}"
            random_ = random.Random(f"{name} {arguments.seed}")
            codes, most = collections.Counter(), 0
            for turn in range(arguments.count):
                damaged = mutated(random_, content)
                for command in commands:
                    for other, bytes_ in saved.items():
                        other.write_bytes(bytes_)
                    (program.folder / "runs/m-1/model.safetensors").unlink(missing_ok=True)
                    path.write_bytes(damaged)
                    code, text, memory = program.call(*command)
                    codes[code] += 1
                    most = max(most, memory)
                    if code not in (0, 2, 3) or memory > MOST_MEMORY or "panicked" in text:
                        faults += 1
                        print(f"{name} {turn}: {' '.join(command)}: {code}, {memory >> 20} MiB: {text.strip()[-300:]}")
                        if arguments.keep:
                            arguments.keep.mkdir(parents=True, exist_ok=True)
                            (arguments.keep / f"{name}-{turn}").write_bytes(damaged)
                shutil.rmtree(program.folder / "runs/c-1", ignore_errors=True)
                for run in (program.folder / "runs").glob("c-*"):
                    shutil.rmtree(run, ignore_errors=True)
            shown = ", ".join(f"{count} × exit {code}" for code, count in sorted(codes.items(), key=str))
            print(f"{name}: {shown}; at most {most >> 20} MiB", flush=True)
    if faults:
        sys.exit(f"{faults} damaged inputs were neither understood nor refused")
    print("every damaged input was understood or refused")


if __name__ == "__main__":
    main()
