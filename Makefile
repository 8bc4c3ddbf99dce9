# The two commands of the README, and what they need. `make help` lists the targets.
SWIFT ?= swift
TFC = .build/release/tfc

.PHONY: help dependencies build run test lint format

help:
	@echo "make run     build tfc, compile the digits classifier, classify, compare fused with unfused"
	@echo "make test    build and run all tests"
	@echo "make lint    check the layout of the Swift sources"
	@echo "make format  lay the Swift sources out"

dependencies:
	@scripts/install-dependencies

build: dependencies
	$(SWIFT) build -c release --product tfc

run: build
	examples/digits/run $(TFC)

test: dependencies
	scripts/run-tests

lint:
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests --configuration .swift-format

format:
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests --configuration .swift-format
