"""Train matrix factorization models with the program `lowrank`, and use them with numpy and pandas.

>>> run = lowrank.train({"model": {"kind": "biased-mf", "rank": 16}}, interactions=ratings)
>>> run.metrics                         # a row per epoch
>>> run.recommend(["42", "77"])         # ten items for each user
>>> lowrank.load("runs/my-1").item_factors
"""

from lowrank._program import LowrankError, find_program
from lowrank._run import Run, load
from lowrank._train import fold_in, train

__all__ = ["LowrankError", "Run", "find_program", "fold_in", "load", "train"]
