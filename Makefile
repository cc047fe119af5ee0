# Every verb sets up what it needs and is quick the second time. `make run` and `make test` are all one needs.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for name in python3 python3.12 python3.11 python3.13; do \
  $$name -c '$(SUITABLE)' 2>/dev/null && { echo $$name; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
IMAGES := $(VENV)/.images
DISTRIBUTIONS := --editable ./model-checks --editable ./local-sagemaker
# Where bytecode isn't kept, as container images for Python set it, each of the many processes compiles all it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install run test test-project test-unit check check-hostile check-images check-moto structure bench seed docs clean tour

help: ## what the verbs do
	@grep -E '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "make %-14s %s\n", $$1, $$2}'

$(STAMP): setup.py local-sagemaker/pyproject.toml model-checks/pyproject.toml tools/install.py
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(SUITABLE)' || \
	  { echo "Python 3.11 to 3.13 is needed; none is on PATH. Run: make PYTHON=/path/to/python3.12 ..."; exit 1; }
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) tools/install.py $(VENV) $(DISTRIBUTIONS) --editable '.[test]'
	@touch $(STAMP)

$(IMAGES): $(STAMP) $(wildcard local-sagemaker/local_sagemaker/images/libraries/*.toml)
	@$(BIN)/local-sagemaker images prepare
	@touch $(IMAGES)

install: $(IMAGES) ## make .venv with the project and everything it needs, and the libraries of the default images

run: $(IMAGES) ## the main job: the abalone pipeline, run for real on the local service
	@PATH="$(CURDIR)/$(BIN):$$PATH" run-pipeline --local --module-name pipelines.abalone.pipeline

# Files in the order of their folders: slow ones (acceptance, component, integration) first, so that no worker waits at the end.
# Half of a worker's time is waiting, for processes that start and for statuses that are polled: the two suites run side by
# side, so that one keeps the machine busy while the other comes to its end; the service's, which is longer, has a worker more.
CORES := $(shell getconf _NPROCESSORS_ONLN)
WORKERS := $(shell echo $$(($(CORES) + 2)))
FEWER_WORKERS := $(shell echo $$(($(CORES) + 1)))
TESTS := -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --ignore=tests/unit
# A shell has its background processes ignore Ctrl-C: a suite would go on.
HEARS_CTRL_C := env --default-signal=INT
# Unit tests wait for nothing and are many: workers would each import all libraries and collect all tests, and report every
# one to another process. So pytest itself runs thrice, side by side; these folders are half of the service's.
# Small matrices are slower with a thread for each core; and thousands of small files are quicker to remove in memory.
MEMORY := $(shell test $$(df --output=avail /dev/shm 2>/dev/null | tail -1) -gt 2000000 2>/dev/null && \
  echo TMPDIR=/dev/shm "PYTEST_ADDOPTS='$(PYTEST_ADDOPTS) -o tmp_path_retention_policy=failed'")
UNIT_TESTS := env --default-signal=INT OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(MEMORY)
COMPUTING := $(addprefix tests/unit/,engine monitors containers tuning objects)

# By another name: with `make -n`, lines that say MAKE are run.
AGAIN := $(MAKE) --no-print-directory

test: $(IMAGES) ## all tests
	@said=$$(mktemp); failed=0; \
	  $(HEARS_CTRL_C) $(AGAIN) test-project >$$said 2>&1 & projects=$$!; \
	  (cd local-sagemaker && ../$(BIN)/python $(TESTS)) || failed=$$?; \
	  wait $$projects || failed=$$?; cat $$said; rm $$said; exit $$failed

# The service's suite is the longest and ends with fewer workers than the machine has time for: the quick tests fill that.
test-project: $(IMAGES)
	@failed=0; $(HEARS_CTRL_C) $(BIN)/python $(TESTS) -n $(FEWER_WORKERS) || failed=$$?; \
	  [ $$failed = 2 ] || $(AGAIN) test-unit || failed=$$?; exit $$failed # 2: interrupted

test-unit: $(STAMP) ## the quick tests: those that start no process and use no socket
	@said=$$(mktemp -d); failed=0; \
	  (cd local-sagemaker && $(UNIT_TESTS) ../$(BIN)/python -m pytest $(COMPUTING)) >$$said/computing 2>&1 & computing=$$!; \
	  $(UNIT_TESTS) $(BIN)/python -m pytest tests/unit >$$said/projects 2>&1 & projects=$$!; \
	  (cd local-sagemaker && $(UNIT_TESTS) ../$(BIN)/python -m pytest tests/unit $(addprefix --ignore=,$(COMPUTING))) || failed=$$?; \
	  wait $$computing || failed=$$?; wait $$projects || failed=$$?; \
	  cat $$said/computing $$said/projects; rm -r $$said; exit $$failed

check: $(STAMP) ## lint, types, who may import whom, the figures of the structure, and words
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/structure.py
	@$(BIN)/python tools/words.py

structure: $(STAMP) ## figures of the code's structure: names, lengths, boundaries; and that a look-up takes constant time
	@$(BIN)/python tools/structure.py
	@$(BIN)/python -m benchmarks look_up

check-hostile: $(IMAGES) ## malformed requests, kills, and jobs' ways out as an ordinary user (minutes; not part of CI)
	@cd local-sagemaker && ../$(BIN)/python -m tests.hostile
	@.ci/ordinary-user /usr/bin/python3 escapes

check-images: $(IMAGES) ## the oldest images on libraries of their own (minutes; not part of CI)
	@for tag in 0.90-2 1.0-1 1.2-2 1.3-1 1.5-1; do $(BIN)/local-sagemaker images prepare sagemaker-xgboost:$$tag || exit; done
	@for tag in 0.23-1 1.0-1 1.2-1; do $(BIN)/local-sagemaker images prepare sagemaker-scikit-learn:$$tag || exit; done
	@cd local-sagemaker && ../$(BIN)/python $(TESTS) tests/component/images/test_images_xgboost_libraries.py \
	  tests/component/images/test_images_public_scripts.py

check-moto: $(IMAGES) ## moto's own tests of the service's own operations against it (half an hour; not part of CI)
	@cd local-sagemaker && ../$(BIN)/python -m tests.moto

$(VENV)/.bench: $(IMAGES)
	@$(BIN)/python tools/install.py $(VENV) $(DISTRIBUTIONS) --editable '.[bench]'
	@touch $@

seed: $(STAMP) ## the contents of the delivery's three repositories, below build/seed/
	@$(BIN)/delivery seed --output build/seed

tour: $(IMAGES) ## the whole delivery as a story, on a service of its own: commit, staging, production, monitors, the end
	@export LOCAL_SAGEMAKER_HOME="$(CURDIR)/build/tour" PATH="$(CURDIR)/$(BIN):$$PATH"; rm -rf "$$LOCAL_SAGEMAKER_HOME"; \
	  trap 'local-sagemaker down >/dev/null' EXIT; local-sagemaker exec -- python -m delivery.project.tour

bench: $(VENV)/.bench ## the benchmarks behind the README's figures
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks

docs: $(IMAGES) ## docs/reference/ anew, from what is registered in the code; the notebook with its outputs in build/docs/; the README's pictures of the web pages
	@$(BIN)/python -m local_sagemaker.cli.reference > docs/reference/operations.md
	@$(BIN)/python -m local_sagemaker.cli.member_reference > docs/reference/members.md
	@export LOCAL_SAGEMAKER_HOME="$(CURDIR)/build/docs/.service" PATH="$(CURDIR)/$(BIN):$$PATH"; \
	  rm -rf "$$LOCAL_SAGEMAKER_HOME"; trap 'local-sagemaker down' EXIT; set -e; \
	  python -m nbconvert --to html --execute sagemaker-pipelines-project.ipynb --output-dir build/docs; \
	  run-pipeline --local -n pipelines.abalone.pipeline; \
	  model-registry --local approve AbalonePackageGroup/1; \
	  model-registry --local deploy AbalonePackageGroup --endpoint abalone; \
	  python tools/screenshots.py docs/images

clean: ## stop the service and remove everything that the other verbs made
	@test ! -x $(BIN)/local-sagemaker || $(BIN)/local-sagemaker down
	@rm -rf $(VENV) .local-sagemaker build dist reports *.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
