PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A process for each core, with one thread: small tensors gain nothing by more.
TESTS := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile

.PHONY: help install peers demo test test-slow notebooks lint format clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: $(VENV)/.installed ## create .venv with the versions of constraints.txt

# Written so that even Python 2 can read it and say what it lacks.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 12) else 'obsvae needs Python 3.12 or newer, but $(PYTHON) is %d.%d; name a newer one: make PYTHON=python3.12' % sys.version_info[:2])"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Other programs have environments of their own: what they need must not decide what this project has.
PEERS := .peers
WANTED := experiments/benchmarks/training/peers
SITE := import sysconfig; print(sysconfig.get_path('purelib'))

peers: $(PEERS)/numpyro/.installed $(PEERS)/pythae/.installed ## create .peers, for obsvae benchmark training --against

$(PEERS)/%/.installed: $(WANTED)/%.txt $(VENV)/.installed
	$(BIN)/python -m venv $(@D)
	$(if $(filter pythae,$*),$(torch_of_ours))
	$(@D)/bin/python -m pip install --quiet --requirement $<
	@touch $@

# pythae takes this project's torch, and so the same one, by a path: torch alone is gigabytes.
torch_of_ours = $(BIN)/python -c "$(SITE)" > "$$($(@D)/bin/python -c "$(SITE)")/torch.pth"

demo: install ## train, evaluate and compare on the embedded digits (about three minutes)
	$(BIN)/obsvae demo

test: install ## the fast tests
	$(TESTS) -m 'not slow'

test-slow: install ## the slow tests
	$(TESTS) -m slow

notebooks: install ## run the notebooks (seven minutes), as they are stored
	$(BIN)/python -m pytest --nbmake --nbmake-timeout=600 notebooks

lint: install ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: install ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the virtual environments and the demo's results
	rm -rf $(VENV) $(PEERS) runs/demo runs/demo-*
