#!/usr/bin/env python3
"""Times of two builds of a bench, as a Markdown table: new over old, case by case.

    cargo bench --no-run --bench data                            # in both working trees; prints the executables
    python3 benches/paired.py OLD NEW [FILTER …] [--rounds 7]

Each round runs every case once in either program, the older first in every other round. The ratio of a case is the median
over the rounds of new over old within one round, of the fastest and of the median samples; the last column is the smallest
and the largest ratio of any round.
"""

import argparse
import re
import statistics
import subprocess

UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}
# Name, fastest, slowest, median: what divan prints of a case.
CASE = re.compile(r"^([│ ]*)[├╰]─ (.*?)(?:  +([\d.]+) (\S+) +│ [\d.]+ \S+ +│ ([\d.]+) (\S+) +│.*)?$")


def run(program, filters):
    """Seconds of the fastest and of the median sample of each case."""
    printed = subprocess.run([program, "--bench", *filters], check=True, capture_output=True, text=True).stdout
    cases, path = {}, []
    for line in printed.splitlines():
        found = CASE.match(line)
        if not found:
            continue
        indent, name, fastest, unit, median, median_unit = found.groups()
        path[len(indent) // 3:] = [name.split("  ")[0].strip()]
        if fastest:
            cases[" ".join(path)] = (float(fastest) * UNITS[unit], float(median) * UNITS[median_unit])
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("filters", nargs="*")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    ratios, times = {}, {}
    for number in range(options.rounds):
        programs = [options.old, options.new]
        first, second = (run(program, options.filters) for program in programs[::-1 if number % 2 else 1])
        old, new = (second, first) if number % 2 else (first, second)
        for case in old.keys() & new.keys():
            ratios.setdefault(case, []).append([after / before for before, after in zip(old[case], new[case])])
            times.setdefault(case, []).append(new[case][1])
    print("| case | new, ms | fastest, new/old | median, new/old | rounds |")
    print("|---|---|---|---|---|")
    for case in sorted(ratios):
        fastest, median = (statistics.median(column) for column in zip(*ratios[case]))
        medians = [ratio for _, ratio in ratios[case]]
        spread = f"{min(medians):.2f}–{max(medians):.2f}"
        print(f"| {case} | {1e3 * statistics.median(times[case]):.3g} | {fastest:.3f} | {median:.3f} | {spread} |")
    overall = [statistics.median(column) for column in zip(*(pair for rounds in ratios.values() for pair in rounds))]
    print(f"\nall {len(ratios)} cases: fastest {overall[0]:.3f}, median {overall[1]:.3f}")


if __name__ == "__main__":
    main()
