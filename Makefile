# The study in two commands: `make report` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

DATASET ?= synthetic
# The embedded data set is for a first look, others are for results: each has its own usual profile.
USUAL_PROFILE := $(if $(filter synthetic,$(DATASET)),quick,full)
PROFILE ?= $(USUAL_PROFILE)
DATA_ROOT ?=
SEED ?= 0
# Numbers of notebooks, such as "07 08", for a report of these alone; nothing stands for all.
override ONLY := $(sort $(ONLY))

PY := .venv/bin/python
READY := .venv/.ready
RUN := runs/$(DATASET)-$(PROFILE)
REPORT := $(subst $() $(),-,$(strip reports/$(DATASET) $(filter-out $(USUAL_PROFILE),$(PROFILE)) $(ONLY)))
KNOBS := --dataset "$(DATASET)" --profile "$(PROFILE)" --data-root "$(DATA_ROOT)" --seed "$(SEED)"
NOTEBOOKS := $(sort $(wildcard notebooks/*.ipynb))
ALWAYS := 00 01 11
NUMBERS := $(filter-out $(ALWAYS),$(foreach name,$(NOTEBOOKS:notebooks/%=%),$(firstword $(subst _, ,$(name)))))
$(foreach number,$(filter-out $(NUMBERS),$(ONLY)),$(error ONLY: $(number) is none of $(NUMBERS); use some of these))
CHOSEN := $(if $(ONLY),$(filter $(foreach number,$(ALWAYS) $(ONLY),notebooks/$(number)_%),$(NOTEBOOKS)),$(NOTEBOOKS))
EXECUTED := $(CHOSEN:notebooks/%=$(RUN)/%)

.PHONY: help report test lint format lab bench lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10
	@echo
	@echo 'Knobs: DATASET=synthetic|fer2013|ferplus|folder|raf_db|affectnet|caer_s|ck_plus|emotic|fabo|videos'
	@echo '       PROFILE=smoke|quick|full  DATA_ROOT=folder  SEED=number  ONLY="07 08"'

report: $(READY) ## run the study and write reports/<dataset>/report.html
	@$(PY) -m fer_lib prepare $(KNOBS)
	@state=0; $(MAKE) -q $(REPORT)/report.html || state=$$?; case $$state in \
	  0) echo "Nothing to do: $(REPORT)/report.html is newer than all that it is made from." ;; \
	  1) $(MAKE) $(REPORT)/report.html ;; \
	  *) exit 1 ;; esac

test: lint ## lint, then every test, notebooks in profile smoke included
	@$(PY) -m pytest $(TESTS)

lint: $(READY) ## check style and that notebooks carry no outputs
	@.venv/bin/ruff check -q . && .venv/bin/ruff format -q --check .
	@.venv/bin/nbstripout --verify $(NOTEBOOKS)

format: $(READY) ## put code and notebooks into the one form
	@.venv/bin/ruff check -q --fix . && .venv/bin/ruff format -q .
	@.venv/bin/nbstripout $(NOTEBOOKS)

lab: $(READY) ## open the notebooks in JupyterLab
	@.venv/bin/jupyter lab notebooks

bench: $(READY) ## measure speed, as ratios within one run
	@$(PY) -m benchmarks

lock: $(READY) ## resolve pyproject.toml anew into requirements.lock
	@.venv/bin/uv pip compile -q pyproject.toml --universal --generate-hashes --python-version 3.11 --no-annotate \
	  --no-header --no-emit-index-url --no-emit-package opencv-python --no-emit-package opencv-contrib-python \
	  -o requirements.lock

clean: ## remove what runs made; the run store and the reports stay
	@rm -rf $(filter-out runs/store runs/cache,$(wildcard runs/*)) .pytest_cache .ruff_cache

# The environment: exactly requirements.lock, and fer_lib in place.
$(READY): requirements.lock pyproject.toml
	@python=$$(for p in $(PYTHON) python3 python3.12 python3.11 python; do \
	  "$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo "$$p" && break; \
	done || true); \
	if [ -z "$$python" ]; then echo "error: no Python 3.11 or 3.12 found; install one, or name it: make PYTHON=…" >&2; exit 1; fi; \
	echo "Building .venv from requirements.lock …"; \
	{ rm -rf .venv && "$$python" -m venv .venv \
	  && $(PY) -m pip install -q --disable-pip-version-check --require-hashes \
	    -r <(awk '/^[a-z]/ {uv = /^uv==/} uv' requirements.lock) \
	  && .venv/bin/uv pip sync -q --compile-bytecode --require-hashes requirements.lock \
	  && .venv/bin/uv pip install -q --no-deps --no-build-isolation -e . ; } \
	|| { rm -rf .venv; \
	  echo "error: .venv could not be built from requirements.lock; is the network there, and disk for 7 GB? Then run again." >&2; \
	  exit 1; }
	@touch $@

# The study: each notebook's executed copy depends on the notebook, the settings, the modules that it imports
# (dependencies.mk, read from the code) and the notebooks before it.
ifneq ($(filter $(REPORT)/report.html $(RUN)/%,$(MAKECMDGOALS)),)
DATA_STATE := $(if $(DATA_ROOT),$(shell ls -lLR "$(subst ~/,$(HOME)/,$(DATA_ROOT))" 2>/dev/null | cksum))
SETTINGS := DATASET=$(DATASET) PROFILE=$(PROFILE) DATA_ROOT=$(DATA_ROOT) $(DATA_STATE) SEED=$(SEED)
kept = $(shell mkdir -p $(RUN); [ "$$(cat $(RUN)/$1 2>/dev/null)" = "$2" ] || echo "$2" > $(RUN)/$1)
$(call kept,settings,$(SETTINGS))
$(call kept,only,ONLY=$(ONLY))

$(RUN)/dependencies.mk: $(NOTEBOOKS) $(shell find fer_lib -name '*.py') $(READY)
	@$(PY) -m fer_lib.dependencies $(RUN) > $@
include $(RUN)/dependencies.mk
endif

$(EXECUTED): $(RUN)/%.ipynb: notebooks/%.ipynb $(RUN)/settings requirements.lock $(READY)
	@$(PY) -m fer_lib notebook $(KNOBS) --only "$(ONLY)" $<

$(filter-out $(RUN)/00% $(RUN)/01% $(RUN)/11%,$(EXECUTED)): $(RUN)/01_data_preparation.ipynb
$(RUN)/11_report.ipynb: $(filter-out $(RUN)/11_report.ipynb,$(EXECUTED)) $(RUN)/only

$(REPORT)/report.html: $(EXECUTED) fer_lib/show/report.html fer_lib/show/report.py fer_lib/manifest.py
	@$(PY) -m fer_lib publish $(KNOBS) --only "$(ONLY)" $(REPORT)
