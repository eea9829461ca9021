"""Wrong uses of the commands that take runs: one line each, and nothing is written."""

import pytest

from tests.wrong_use.place import refuses

WHOLE = "needs a whole number from 1 to 2^31 - 1, but got"
ABSENT = {
    "absent": "there is no run folder absent; train one with obsvae train --out absent",
    "'a\nb'": r"there is no run folder a\nb",
    "'<script>'": "there is no run folder <script>",
    "folder": "folder is not a whole run: it lacks config.json and weights.safetensors",
    "file": "there is no run folder file",
    "no-weights": "it lacks weights.safetensors; train it again",
    "no-config": "it lacks config.json; train it again",
    "cut-config": "cut-config/config.json is not JSON",
    "list-config": "list-config/config.json holds no configuration",
    "bad-weights": "is damaged, or of another model: it has 10 bytes",
    "old-format": "old-format was written in format 7, but format 8 is needed; train it again",
    "new-format": "format 99, but format 8 is needed; install the version of obsvae that wrote it",
    "no-format": "no-format was written in format None",
    "bad-family": "the pair of bad-family cannot be built: unknown observation 'nromal'; did you mean 'normal'?",
    "wide": "holds the weights of another model",
    "huge": "is damaged, or of another model",
    "negative": "the prior needs at least 1 latent dimension, but got -1",
    "worded": "worded/config.json lacks or misstates something",
}
EVALUATE = {
    "gone": "the data of gone cannot be loaded: no file at 'gone.npy'",
    "array-run --particles 0": f"argument --particles: {WHOLE} '0'",
    "array-run --particles 2147483647": "--memory 128 allows 134217728",
    "array-run --limit 0": f"argument --limit: {WHOLE} '0'",
    "array-run --split tset": "did you mean 'test'?",
    "array-run --proposal aiz": "did you mean 'ais'?",
    "array-run --check -1": "needs a whole number from 0 to 2^31 - 1, but got '-1'",
    "array-run --check 5 --curve": "leave it out beside --curve",
    "array-run --by-column --curve": "leave them out beside --curve",
    "array-run --by-column": "scores by column need a run on a table, whose columns have names; leave --by-column out",
    "array-run --proposal amortised --starts 3": "--starts: for refined particles alone; add --proposal refined",
    "array-run --temperatures 5": "--temperatures: for annealing alone; add --proposal ais",
    "array-run --proposal ais --ess 0.5": "--ess: for a refined start alone; add --start refined",
    "array-run --proposal ais --temperatures 500 --most 100": "most needs to be at least the 500 temperatures",
    "array-run --proposal ais --pilot 1": "pilot needs to be a whole number of at least 2, but got 1",
    "array-run --bidirectional": "add --proposal ais",
    "array-run --bidirectional --proposal ais --split test": "leave out --split",
    "array-run --curve --proposal ais": "leave out --proposal ais",
    "array-run --ess nan": "argument --ess: needs a positive number, but got 'nan'",
    "array-run --device tpu": "did you mean 'cpu'?",
    "array-run second": "unrecognized arguments: second",
}
REPORT = {
    "--out r.html": "the following arguments are required: RUN",
    "array-run": "the following arguments are required: --out",
    "array-run --out r.txt": "a report needs a name that ends in .html, but got r.txt; choose another name",
    "array-run --out folder": "a report needs a name that ends in .html",
    "array-run --out file/r.html": "file/r.html needs a folder to stand in, but file is a file; choose another place",
    "absent --out r.html": "there is no run folder absent",
    "array-run no-weights --out r.html": "it lacks weights.safetensors",
    "array-run array-run --out r.html": "a run is named twice: array-run array-run",
    "gone --out r.html": "the data of gone cannot be loaded",
    "array-run --out r.html --limit 0": f"argument --limit: {WHOLE} '0'",
    "array-run --out r.html --particles x": f"argument --particles: {WHOLE} 'x'",
    "array-run --out r.html --seed -1": "argument --seed: needs a whole number from 0",
}
# Of encode, score, impute and reproduce.
ROWS = {
    "table-run": "the following arguments are required: ROWS, --out",
    "table-run one.csv": "the following arguments are required: --out",
    "absent one.csv --out o.csv": "there is no run folder absent",
    "table-run absent.csv --out o.csv": "no file at 'absent.csv': check the path",
    "table-run x.npy --out o.csv": "table-run was trained on a table",
    "table-run level.csv --out o.csv": "needs one of its levels, 'blue', 'green', 'red'; row 0",
    "table-run negative.csv --out o.csv": "needs x a whole number from 0, but found -3 in row 0",
    "table-run lacking.csv --out o.csv": "'lacking.csv' lacks column 'visits', which the model observes",
    "table-run words.csv --out o.csv": "column 'height': needs numbers; row 0 (counted from 0) has 'tall'",
    "table-run empty.csv --out o.csv": "needs rows below its header",
    "table-run half.csv --out o.csv": "needs values on its grid, multiples of 1; row 0 (counted from 0) has 3.5",
    "table-run infinite.csv --out o.csv": "needs numbers; row 0 (counted from 0) has 'inf'",
    "table-run one.csv --out o.txt": ".csv, .tsv, .parquet, but got o.txt; choose a name that ends so",
    "table-run one.csv --out ''": "--out needs a table",
    "table-run one.csv --out folder": "--out needs a table",
    "table-run one.csv --out one.csv": "would replace the rows that are read; choose another file",
    "table-run one.csv --out file/o.csv": "file/o.csv needs a folder to stand in, but file is a file",
    "table-run one.csv --out o.csv --layer x": "layers are those of AnnData files",
    "table-run one.csv --out o.csv --particles 0": f"argument --particles: {WHOLE} '0'",
    "table-run one.csv --out o.csv --memory x": f"argument --memory: {WHOLE} 'x'",
    "table-run one.csv --out o.csv --seed 1.5": "argument --seed: needs a whole number from 0",
}
OTHERS = {
    "encode array-run three.npy --out o.csv": "the model needs data of shape (N, 4) with N ≥ 1, but got (4, 3)",
    "encode array-run none.npy --out o.csv": "with N ≥ 1, but got (0, 4)",
    "encode array-run nan.npy --out o.csv": "normal needs x finite, but found nan",
    "encode count-run below.npy --out o.csv": "poisson needs x a whole number from 0, but found -1",
    "encode image-run three.npy --out o.csv": "image-run was trained on data prepared by binarise",
    "score array-run x.npy --out o.npy": "--out needs a table, .csv, .tsv, .parquet, but got o.npy",
    "score array-run x.npy --out o.csv --by-column": "scores by column need a run on a table",
    "score table-run one.csv --out o.csv --reference -1": "needs a whole number from 0 to 2^31 - 1, but got '-1'",
    "score gone x.npy --out o.csv": "the data of gone cannot be loaded",
    "impute array-run x.npy --out o.csv": "as array-run was trained on an array, but got o.csv; name it .npy",
    "impute table-run one.csv --out o.csv --draws x": "needs a whole number from 0 to 2^31 - 1, but got 'x'",
    "reproduce array-run t.csv --out o.npy": "array-run was trained on an array",
    "sample table-run": "the following arguments are required: --out",
    "sample absent --out o.csv": "there is no run folder absent",
    "sample table-run --out o.npy": "--out needs a table, .csv, .tsv, .parquet, but got o.npy",
    "sample array-run --out o.csv": "--out needs .npy",
    "sample table-run --out o.csv --n 0": f"argument --n: {WHOLE} '0'",
    "sample table-run --out file/o.csv": "file is a file; choose another place",
    "sample table-run --out o.csv --seed -1": "but got '-1'",
    "sample table-run one.csv --out o.csv": "unrecognized arguments: one.csv",
}
LINES = {
    **{f"evaluate {line} --particles 5": words for line, words in ABSENT.items()},
    **{f"evaluate {line}": words for line, words in EVALUATE.items()},
    **{f"report {line}": words for line, words in REPORT.items()},
    **{f"{name} {line}": words for name in ("encode", "score", "impute", "reproduce") for line, words in ROWS.items()},
    **OTHERS,
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:60])
def test_wrong_use_of_runs_is_refused(line, place):
    refuses(line, LINES[line], place)
