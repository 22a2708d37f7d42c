# SPDX-License-Identifier: MIT
# Only a front door: CMake builds, the scripts in tools/ do the rest.
.DEFAULT_GOAL := help
.PHONY: help build run test test-all bench fuzz coverage install format clean

PREFIX ?= /usr/local
# How long each fuzz target runs, in seconds.
SECONDS ?= 60

help: ## shows this list
	@echo 'Weft, an event-driven networking engine. What make can do here:'
	@echo
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1#\2/p' Makefile | \
	    awk -F'#' '{ printf "%-16s %s\n", $$1, $$2 }'

build: ## builds the command ./weft and the examples (installs the Debian packages that are missing)
	@tools/build

run: build ## builds, then serves the documentation for your browser
	@tools/run-docs

test: ## runs a sample of every kind of check (some minutes); ends with "N passed, N failed"
	@tools/test

test-all: ## runs every check there is (much longer)
	@tools/test --all

bench: build ## measures Weft beside its peers (PEERS=1 installs them first)
	@tools/bench

fuzz: ## lets every fuzz target look for trouble, 60 seconds each (SECONDS=600 for longer)
	@tools/fuzz $(SECONDS)

coverage: ## runs the tests and writes build/coverage/report/index.html: which lines ran
	@tools/coverage

install: build ## installs the command, libraries and headers under /usr/local (PREFIX=/usr for elsewhere)
	@cmake --install build/release --prefix $(PREFIX) >build/install.log && echo "Installed under $(DESTDIR)$(PREFIX)."

format: ## lays out all C files as clang-format 14 does
	@tools/check-format --fix

clean: ## removes everything that was built
	@rm -rf build weft
