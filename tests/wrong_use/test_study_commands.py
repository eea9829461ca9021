"""Wrong uses of the commands that train several models, or look at data: one line each, and nothing is written."""

import pytest

from tests.scripts.commands import SMALL
from tests.wrong_use.place import refuses

WHOLE = "needs a whole number from 1 to 2^31 - 1, but got"
SEED = "seed needs to be a whole number from 0 to 2^63 - 1"
COUNT = WHOLE.replace("from 1", "from 0")
COMPARE = {
    "": "the following arguments are required: --observations",
    "--observations": "expected at least one argument",
    "--observations nromal": "unknown observation 'nromal'; did you mean 'normal'?",
    "--observations normal normal": "named twice: normal normal; leave one of them out",
    "--observations bernoulli": "no candidate takes these data; of bernoulli",
    "--observations normal 'lap\nlace'": r"unknown observation 'lap\nlace'; did you mean 'laplace'?",
    "--observations normal --guide delta": "guide 'delta' has no density",
    "--observations normal laplace --out file": "file exists already, and holds no settings.json",
    "--observations normal laplace --out folder": "folder exists already",
    "--observations normal laplace --out array-run": "array-run exists already",
    "--observations normal --seeds 0": f"argument --seeds: {WHOLE} '0'",
    "--observations normal --jobs -1": f"argument --jobs: {COUNT} '-1'",
    "--observations normal --limit -3": f"argument --limit: {WHOLE} '-3'",
    "--observations normal --memory 0": f"argument --memory: {WHOLE} '0'",
    "--observations normal --memory 1 --particles 100000": "--memory 1 allows 1048576; allow more, or take fewer",
    f"--observations normal --seed {2**63 - 1} --seeds 2": f"{SEED}, but got {2**63}",
    "--observations normal --data absent.csv": "no file at 'absent.csv'",
    "--observations normal x=normal --data t.csv --schema good.toml": "unknown observation 'x=normal'",
}
RECOMMEND = {
    "": "needs the data once",
    "x.npy --data x.npy": "needs the data once",
    "absent.npy": "no file at 'absent.npy'",
    "x.npy --columns height": "columns go with a table",
    "t.csv --schema good.toml --columns hieght": "unknown column 'hieght'; did you mean 'height'?",
    "t.csv --schema good.toml --columns height height": "'height' is there more often; name it once",
    "t.csv t.csv": "--data needs one name, or three tables",
    "folder": "it holds none: check the path",
    "x.npy --minutes nan": "argument --minutes: needs a positive number, but got 'nan'",
    "x.npy --seeds 0": f"argument --seeds: {WHOLE} '0'",
    f"x.npy --seed {2**63 - 1} --seeds 2": f"{SEED}, but got {2**63}",
    "x.npy --jobs -1": f"argument --jobs: {COUNT} '-1'",
    "x.npy --hidden a": f"argument --hidden: {WHOLE} 'a'",
    "x.npy --architecture conv": "conv needs images",
    "x.npy --lr 0": "argument --lr: needs a positive number",
    "x.npy --out file": "file exists already",
    "x.npy --out folder": "folder exists already",
    "x.npy --observation normal": "unrecognized arguments: --observation normal",
}
INSPECT = {
    "": "the following arguments are required: DATA",
    "absent.csv": "no file at 'absent.csv'",
    "x.npy --schema good.toml --layer a": "--schema and --layer go with a table, but x.npy is none",
    "absent.npy": "no file at 'absent.npy'",
    "folder": "it holds none: check the path",
    "empty.csv": "needs rows below its header",
    "t.csv --schema absent.toml": "cannot read the schema 'absent.toml'",
    "t.csv --schema bad.toml": "is not TOML",
    "t.csv --schema other.toml": "did you mean 'height'?",
    "t.csv --schema family.toml": "unknown observation 'nromal'",
    "t.csv --out file": "file exists already; choose another file, or remove it",
    "t.csv --out file/s.toml": "file/s.toml needs a folder to stand in, but file is a file",
    "t.csv --missing": "expected at least one argument",
    "t.csv --layer x": "layers are those of AnnData files",
}
BENCHMARK = {
    "": "the following arguments are required: WHAT",
    "liklihood": "did you mean 'likelihood'?",
    "likelihood": "needs at least one run folder, and no other benchmark takes any, but got likelihood with 0",
    "training array-run": "but got training with 1",
    "likelihood absent": "there is no run folder absent",
    "likelihood array-run --out x.csv": "the benchmark is likelihood: leave it out",
    "likelihood array-run --timed 0": f"argument --timed: {WHOLE} '0'",
    "training --against troch": "did you mean 'torch'?",
    "training --families nromal": "did you mean 'normal'?",
    "training --threads 1000": "cores that there are, but got 1000",
    "training --out folder": "folder is a folder; name a file in it",
    "training --out file/x.csv": "needs a folder to stand in, but file is a file",
    "training --data absent": "unknown data 'absent'",
    "trust --what x": "unknown part 'x'; known are adversarial, trained, both",
    "trust --tables Breast": "the benchmark is trust: leave it out",
    "imputation --tables Brest": "did you mean 'Breast'?",
    "imputation --what densities --tables Breast": "leave it out",
    "recommend --minutes nan": "needs a positive number",
    "recommend --draws 0": f"argument --draws: {WHOLE} '0'",
    "trust --kills 5": "--kills goes with survival, but the benchmark is trust: leave it out",
    "survival --kills 0": f"argument --kills: {WHOLE} '0'",
    "survival --commands evalute": "did you mean 'evaluate'?",
    "survival --minutes 5": "--minutes goes with recommend and soak, but the benchmark is survival: leave it out",
    "survival --out file/x.csv": "needs a folder to stand in, but file is a file",
    "soak --minutes 0": "needs a positive number",
}
STUDIES = {
    "reproductions --data absent": "unknown data 'absent'",
    "reproductions --data x.npy": "needs data with bounds",
    "reproductions --data t.csv": "scaling does not go with a table",
    "reproductions --out folder": "folder exists already",
    "reproductions --out file/x": "cannot make the folder file/x",
    "reproductions stray": "unrecognized arguments: stray",
    "warp_study --data absent": "unknown data 'absent'",
    "warp_study --data x.npy": "has no grid and no bounds",
    "warp_study --data digits --gammas 0.5": "warping needs gamma from -0.5 to below 0.5",
    "warp_study --data digits --gammas x": "argument --gammas: needs a number, but got 'x'",
    "warp_study --data digits --gammas 0 0": "distinct gammas, but 0 is named twice; leave one of them out",
    "warp_study --data digits --gammas 0 --out folder": "folder exists already",
    "demo --out folder": "folder exists already",
    "demo --out file/x": "cannot make the folder file/x",
    "demo --epochs 0": f"argument --epochs: {WHOLE} '0'",
    "demo --seed 3": "unrecognized arguments: --seed 3",
}
TINY = " ".join(SMALL)
LINES = {
    **{f"compare --data x.npy --out new {TINY} {line}": words for line, words in COMPARE.items()},
    **{f"recommend {line}" + ("" if "--out" in line else " --out new"): words for line, words in RECOMMEND.items()},
    **{f"inspect_ {line}": words for line, words in INSPECT.items()},
    **{f"benchmark {line}": words for line, words in BENCHMARK.items()},
    **{f"{line} {'' if line.startswith('demo') else TINY}": words for line, words in STUDIES.items()},
}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[:60])
def test_wrong_studies_are_refused(line, place):
    refuses(line, LINES[line], place)
