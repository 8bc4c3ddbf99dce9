# The two commands of the README, and what they need. `make help` lists the targets.
SWIFT ?= swift
TFC = .build/release/tfc

.PHONY: help dependencies build run test lint format bench bench-opencl bench-readme

help:
	@echo "make run     build tfc, compile the digits classifier, classify, compare fused with unfused"
	@echo "make test    build and run all tests"
	@echo "make lint    check the layout of the Swift sources"
	@echo "make format  lay the Swift sources out"
	@echo "make bench   measure tfc against its peers (an hour); MODELS='minilm,micro_*' ROUNDS=3 for less"
	@echo "make bench-opencl  measure tfc on an OpenCL device; LARGE=1 for a GPU"
	@echo "make bench-readme  write the README's table from the newest results"

dependencies:
	@scripts/install-dependencies

build: dependencies
	$(SWIFT) build -c release --product tfc

run: build
	examples/digits/run $(TFC)

test: dependencies
	@scripts/install-dependencies tests
	scripts/run-tests

lint:
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Sources Tests --configuration .swift-format

format:
	$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests --configuration .swift-format

# Each of these variables is an option of benchmarks/run.py.
BENCH = MODELS ROUNDS SECONDS THREADS AGAINST FORM ZOO PEERS OUT

# The first call makes virtual environments from PyPI, and the models (4 GB). See benchmarks/README.md.
bench: build
	@scripts/install-dependencies benchmarks
	python3 benchmarks/run.py --tfc $(TFC) $(if $(STRICT),--strict) \
	  $(foreach name,$(BENCH),$(if $($(name)),--$(shell echo $(name) | tr A-Z a-z) '$($(name))'))

# The models come from `make bench`; ZOO names another folder.
bench-opencl: build
	python3 benchmarks/opencl.py --tfc $(TFC) $(if $(LARGE),--large) \
	  $(foreach name,MODELS ROUNDS SECONDS ZOO OUT,$(if $($(name)),--$(shell echo $(name) | tr A-Z a-z) '$($(name))'))

bench-readme:
	python3 benchmarks/readme.py
