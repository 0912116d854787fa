"""table.py CSV: the medians of a benchmark's results as a table, with their ratios to the floor's."""

import collections
import csv
import statistics
import sys

FLOOR = "ssh-curve"
MODES = ["first", "noop", "check"]
COLUMNS = ["wall", "controller_cpu", "nodes_cpu"]

results = collections.defaultdict(list)
with open(sys.argv[1], encoding="utf-8") as lines:
    for row in csv.DictReader(lines):
        results[int(row["nodes"]), row["mode"], row["tool"]].append([float(row[column]) for column in COLUMNS])
medians = {key: [statistics.median(column) for column in zip(*runs, strict=True)] for key, runs in results.items()}

print("| nodes | run | tool | wall, s | × floor | controller CPU, s | × floor | nodes' CPU, s | × floor | runs |")
print("|---|---|---|---|---|---|---|---|---|---|")
tools = list(dict.fromkeys(tool for _, _, tool in results))
for nodes, mode, tool in sorted(results, key=lambda key: (key[0], MODES.index(key[1]), tools.index(key[2]))):
    floor = medians.get((nodes, mode, FLOOR))
    cells = []
    for position, value in enumerate(medians[nodes, mode, tool]):
        cells += [f"{value:.2f}", f"{value / floor[position]:.2f}" if floor and floor[position] else ""]
    print(f"| {nodes} | {mode} | {tool} |", " | ".join(cells), f"| {len(results[nodes, mode, tool])} |")
