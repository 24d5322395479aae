"""The matrices that lowrank and its peers are compared on, and how lowrank is called.

A matrix is a file of little-endian numbers. `<name>.dense`: rows and columns as u64, then all cells as f32, row by
row. `<name>.csr`: rows, columns and the number of stored cells as u64, then row offsets (u64), columns (u32) and values
(f32).
"""

import glob
import json
import os
import subprocess

import numpy as np
import scipy.sparse as sp
from sklearn.feature_extraction.text import TfidfVectorizer


def bbc(data):
    """tf-idf of the BBC news, 1438 documents × 12,315 words."""
    texts = [open(path, encoding="latin-1").read() for path in sorted(glob.glob(f"{data}/bbc-news/*/*.txt"))]
    matrix = TfidfVectorizer(stop_words="english", min_df=2).fit_transform(texts).tocsr()
    matrix.sort_indices()
    return matrix


def orl(data):
    """The ORL faces, 400 images × 10,304 pixels in 0 … 1."""

    def image(path):
        header, columns, rows = open(path, "rb").read().split(maxsplit=3)[:3]
        pixels = int(columns) * int(rows)
        return np.frombuffer(open(path, "rb").read()[-pixels:], np.uint8)

    paths = [f"{data}/orl-faces/s{person}/{shot}.pgm" for person in range(1, 41) for shot in range(1, 11)]
    return np.stack([image(path) for path in paths]) / 255.0


def aml(data):
    """Gene expression in leukaemia (Brunet et al. 2004), 5000 genes × 38 samples."""
    return np.loadtxt(f"{data}/all-aml/ALL_AML_data.txt")


def write(folder, name, matrix):
    """Writes a matrix for lowrank; what it reads back is rounded to float32."""
    os.makedirs(folder, exist_ok=True)
    sparse = sp.issparse(matrix)
    with open(f"{folder}/{name}.{'csr' if sparse else 'dense'}", "wb") as file:
        if sparse:
            np.array([*matrix.shape, matrix.nnz], "<u8").tofile(file)
            matrix.indptr.astype("<u8").tofile(file)
            matrix.indices.astype("<u4").tofile(file)
            matrix.data.astype("<f4").tofile(file)
        else:
            np.array(matrix.shape, "<u8").tofile(file)
            np.ascontiguousarray(matrix, "<f4").tofile(file)


def rounded(matrix):
    """The matrix in float64 with the values that lowrank sees."""
    return matrix.astype(np.float32).astype(np.float64)


def lowrank(threads, *arguments):
    """One run of benches/matrix.rs."""
    command = ["cargo", "bench", "--quiet", "--bench", "matrix", "--", "peer", *map(str, arguments)]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(threads)}
    return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
