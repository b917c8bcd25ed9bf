# Every task a person does. `make` alone lists them.

PY := .venv/bin/python
SETUP := sh scripts/setup.sh

.DEFAULT_GOAL := help
.PHONY: help setup book test lab notebooks capstone app tune bench load crash format clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv and install all that the book and the tests need
	@$(SETUP) requirements-test.txt
	@echo "Ready: . .venv/bin/activate"

book: ## Render the book from the stored outputs into _build/html
	@$(SETUP) requirements.txt
	@$(PY) scripts/render.py

test: ## Check everything: style, tests, notebooks, book, conventions (NEURAL=no: without PyTorch and Spark)
	@$(SETUP) requirements-test.txt
	@$(if $(filter no,$(NEURAL)),true,$(SETUP) requirements-neural.txt)
	@$(PY) scripts/check.py

lab: ## Open the notebooks in JupyterLab
	@$(SETUP) requirements-capstone.txt
	@$(PY) -m jupyterlab --notebook-dir=. --LabApp.default_url=/lab/tree/notebooks

notebooks: ## Run the notebooks again and store their outputs (NB=notebooks/03_metrics.ipynb for one)
	@$(SETUP) requirements-test.txt
	@$(PY) scripts/execute.py $(NB)

capstone: ## Run the capstone end to end (SIZE=small SEED=1 HALF_LIFE=3 EMBEDDER=tfidf DATA=... TRACKING_URI=...)
	@$(SETUP) requirements-capstone.txt
	@$(PY) scripts/capstone.py $(if $(SIZE),--size $(SIZE)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(HALF_LIFE),--half-life $(HALF_LIFE)) $(if $(EMBEDDER),--embedder "$(EMBEDDER)") \
	    $(if $(DATA),--data-folder "$(DATA)") \
	    $(if $(TRACKING_URI),--tracking-uri "$(TRACKING_URI)")

app: ## Build the web app, make data and model if there are none, and serve them (PORT=8000 HOME_FOLDER=newsreco-home)
	@$(SETUP) requirements-app.txt
	@$(PY) scripts/app.py $(if $(PORT),--port $(PORT)) $(if $(HOME_FOLDER),--home "$(HOME_FOLDER)")

tune: ## Search settings of every model and rival on validation data (ONLY=BPR TRIES=16 TABLE=1)
	@$(SETUP) requirements-bench.txt
	@$(PY) -m benchmarks.tune $(if $(ONLY),--only "$(ONLY)") $(if $(TRIES),--tries $(TRIES)) \
	    $(if $(TABLE),--table)

bench: ## Time the library beside the ones that people use, with the settings of `make tune` (ONLY=retrieval)
	@$(SETUP) requirements-bench.txt
	@$(if $(filter neural table distributed,$(ONLY)),$(SETUP) requirements-neural.txt)
	@$(PY) -m benchmarks $(if $(ONLY),--only "$(ONLY)")

load: ## Measure the service's latency under load, 100,000 articles and two workers, and by stage
	@$(SETUP) requirements-test.txt
	@$(PY) -m benchmarks.load
	@$(PY) -m benchmarks.serving

crash: ## Kill training, update, save, register, build and the service many times, and see what they leave
	@$(SETUP) requirements-test.txt
	@CRASH_KILLS=$(or $(KILLS),20) $(PY) -m pytest -v tests/newsreco/code/test_crash.py \
	    tests/newsreco/code/api/test_crash.py

format: ## Let ruff format the code and mend what it can
	@$(SETUP) requirements-test.txt
	@$(PY) -m ruff check --fix --quiet .
	@$(PY) -m ruff format .

clean: ## Remove what make has made, the downloads in data/cache apart
	rm -rf _build .venv .venv.lock build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
