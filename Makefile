# Every target is one command of `python -m stablib.book`, which sets up .venv when it needs to.
PYTHON := $(shell python3.11 -c "" 2>/dev/null && echo python3.11 || echo python3)
COMMANDS := setup book pdf test test-full notebooks check format results ledger bench lab tour lock release clean
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))

.PHONY: help $(COMMANDS)
.NOTPARALLEL:

help:
	@$(PYTHON) "$(ROOT)stablib/book/__main__.py" help

$(COMMANDS):
	@$(PYTHON) "$(ROOT)stablib/book/__main__.py" $@ $(ARGS)
