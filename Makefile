# make run    the main job: simulate the 2020 round with the real number of applicants, run it, print the result
# make test   the tests
# make slow   the tests with servers and browsers, and those of some seconds each
# make quick  rules, policy and architecture alone (under 20 seconds)
# make lint   ruff, mypy --strict, import-linter
# make bench  measure speed and memory, write benchmarks/results.md
# make bench-web  measure scores and lists of `luohu web`, write benchmarks/web.md and lists.md
# make bench-large  measure 12.3 million applicants, write benchmarks/large.md: an hour, 60 GB in LARGE; goes on where it stopped
# make soak   the long tests
# make lock   resolve requirements.lock again (needs uv)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FEEDS ?= out/feeds-2020
WAREHOUSE ?= out/warehouse
LARGE ?= out/bench-large

.PHONY: run test slow quick lint bench bench-web bench-large soak lock clean

run: $(VENV)/.ready
	@test -d $(FEEDS) || $(BIN)/luohu simulate 2020 --out $(FEEDS)
	$(BIN)/luohu run 2020 --feeds $(FEEDS) --warehouse $(WAREHOUSE)

# the workers share the cores, so polars gets a thread in each, and there are more of them than cores:
# a test often waits for a process or a server; files in their order, since the longest have the fewest
# tests and would come last
TESTS := POLARS_MAX_THREADS=1 $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

test: $(VENV)/.ready
	$(TESTS) -m "not (slow or server or bench or soak)"

slow: $(VENV)/.ready
	$(TESTS) -m "(slow or server) and not (bench or soak)"

quick: $(VENV)/.ready
	$(BIN)/pytest tests/test_cases.py tests/test_policy.py tests/test_rounds.py tests/test_rounding.py \
	  tests/test_ranking.py tests/test_architecture.py -m "not bench and not soak"

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready
	$(BIN)/python benchmarks/bench.py

bench-web: $(VENV)/.ready
	$(BIN)/python benchmarks/web.py
	$(BIN)/python benchmarks/lists.py

bench-large: $(VENV)/.ready
	$(BIN)/python benchmarks/large.py --folder $(LARGE)

soak: $(VENV)/.ready
	$(BIN)/pytest -m soak

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "luohu needs Python >= 3.11: make PYTHON=python3.12 ..."; exit 2; }
	@echo "installing what requirements.lock names: some minutes, in which pip says nothing"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q flows schemas transforms  # or each command does, where it may not keep it
	@touch $@

# 1.5 is the DuckDB line with support; the tests also run on 2.0 where it is installed beside.
# A release asked for as `name[extra]` stands twice, with and without: pip 23.2, which Python 3.11
# and 3.12 bring, looks for either by itself, and what it finds beyond the pin has no hash here
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-strip-extras --no-annotate --no-header --extra dev \
	  -c constraints.lock.in pyproject.toml -o requirements.lock
	awk 'function put() { printf "%s", one; if (sub(/^[^=[]*\[[^]]*\]/, name, one)) printf "%s", one } \
	  /^[^ ]/ { put(); one = ""; name = $$0; sub(/[[=].*/, "", name) } \
	  { one = one $$0 "\n" } END { put() }' requirements.lock > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf $(VENV) out
