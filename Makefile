# Every command works from a fresh clone: what is missing is installed first.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
export PYTHONPATH := .:chalice_app
export AWS_EC2_METADATA_DISABLED := true
export AWS_DEFAULT_REGION ?= cn-northwest-1
# The parts talk over loopback; a machine's proxy is for the packages alone.
export no_proxy := 127.0.0.1,localhost,$(no_proxy)
export NO_PROXY := $(no_proxy)

.DEFAULT_GOAL := help
.PHONY: help run demo test lint types imports pytest bench prove mutants package clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-9s %s\n", $$1, $$2}'

$(READY): requirements.txt chalice_app/requirements.txt
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "安装依赖 (installing)…"
	@$(PY) -m pip install -q --disable-pip-version-check -r requirements.txt
	@$(PY) -c "from infra.local import engine; engine.binary()"
	@touch $@

run: $(READY) ## the whole service here, until Ctrl-C (PORT=8000 WECHAT_PORT=8001)
	@exec $(PY) -m infra.local.run

demo: $(READY) ## the main job once, on real photos, with every figure
	@$(PY) -m infra.local.demo

test: lint types imports pytest ## lint, types, import rules, all tests

lint: $(READY)
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .

types: $(READY)
	$(VENV)/bin/mypy models handlers

imports: $(READY)
	$(VENV)/bin/lint-imports

pytest: $(READY)
	$(VENV)/bin/pytest -q -n 2 --dist loadscope

bench: $(READY) ## the figures of the performance budget, into build/bench.json
	@$(PY) -m infra.bench.bench

prove: $(READY) ## injected faults and kills, into build/prove.json (SCALE= PARTS= ENGINE=)
	@$(PY) -m infra.prove.prove

mutants: $(READY) ## each small mistake in points and rewards is noticed (SAMPLE=)
	@$(PY) -m infra.mutants.mutants

package: $(READY) ## chalice package into build/
	@$(PY) -m infra.package

clean: ## remove what can be made again (not the data of make run)
	rm -rf build .pytest_cache .mypy_cache .ruff_cache
