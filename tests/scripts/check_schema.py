"""Holds every committed config, and some wrong ones, to the JSON schema that `lowrank config schema` prints.

    python check_schema.py LOWRANK CONFIGS

Needs the package jsonschema.
"""

import json
import pathlib
import subprocess
import sys
import tomllib

import jsonschema

program, configs = sys.argv[1], pathlib.Path(sys.argv[2])
schema = json.loads(subprocess.run([program, "config", "schema"], check=True, capture_output=True).stdout)
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)

# Files of spaces have keys of their own.
files = [path for path in sorted(configs.rglob("*.toml")) if "spaces" not in path.parts]
assert len(files) > 10, files
for path in files:
    errors = [error.message for error in validator.iter_errors(tomllib.loads(path.read_text()))]
    assert not errors, f"{path}: {errors}"

good = "data.dataset = 'movielens-100k'\nsolver.regularization.user_factors = 0.1\n"
assert validator.is_valid(tomllib.loads(good))
for wrong in [
    "model.rnk = 3",
    "model.rank = 0",
    "model.rank = 2.5",
    "model.kind = 'fmm'",
    "seed = 'one'",
    "train.refit = 1",
    "solver.regularization.user_factors = -1",
    "data.columns = 'user'",
    "[modle]\nrank = 3",
]:
    assert not validator.is_valid(tomllib.loads(wrong)), f"{wrong} passes"
print(f"{len(files)} configs follow the schema")
