# The door to the build. Everything it does is one command of CMake, ctest or a script.
JOBS   ?= $(shell nproc)
PREFIX ?= /usr/local
TESTS  ?=

export CMAKE_GENERATOR ?= $(if $(shell command -v ninja),Ninja,Unix Makefiles)

.PHONY: all tests check demo asan tsan fuzz bench install format lint clean help install-deps
.NOTPARALLEL:

all: build/.configured ## build the program: build/voxmind
	@cmake --build build -j $(JOBS) --target voxmind

tests: build/.configured ## build all tests, without running them
	@cmake --build build -j $(JOBS) --target voxmind tests

check: install-deps all tests ## install what is missing, build, run all tests (TESTS=regex picks some)
	@ctest --test-dir build -j $(JOBS) --output-on-failure $(if $(TESTS),-R '$(TESTS)')

demo: install-deps all ## install what is missing, build, pre-train on the sample scans
	@tools/install-deps --demo
	@tools/demo

install-deps: ## install the packages the build needs (Debian 12, 13)
	@tools/install-deps

asan: install-deps build-asan/.configured ## install what is missing, run the quick tests under ASan and UBSan (TESTS=regex picks some)
	@cmake --build build-asan -j $(JOBS) --target voxmind tests
	@ctest --test-dir build-asan -j $(JOBS) --output-on-failure -LE slow $(if $(TESTS),-R '$(TESTS)')

tsan: build-tsan/.configured ## build and run the tests of threads under TSan (TESTS=regex picks others)
	@cmake --build build-tsan -j $(JOBS) --target voxmind tests
	@ctest --test-dir build-tsan -j $(JOBS) --output-on-failure -R '$(or $(TESTS),queue|pool|team|map|loader|fake|kernel|ops_devices)'

fuzz: build-fuzz/.configured ## build the fuzz targets with clang's libFuzzer, in build-fuzz/fuzz
	@cmake --build build-fuzz -j $(JOBS)

bench: all ## time the kernels on this machine
	@build/voxmind bench

install: all ## install below PREFIX (default /usr/local), staged below DESTDIR
	@cmake --install build --prefix $(PREFIX)

format: ## format every C file in place
	@git ls-files '*.c' '*.h' | xargs clang-format -i

lint: all ## check formatting, then run clang-tidy
	@git ls-files '*.c' '*.h' | xargs clang-format --dry-run --Werror
	@git ls-files 'src/*.c' | grep -v _simd.c | xargs clang-tidy --quiet -p build

clean: ## remove all build trees (what install-deps fetched stays in .deps)
	@rm -rf build build-asan build-tsan build-fuzz build-release build-compare

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

# A tree counts as configured only once its configuration succeeded.
build/.configured:
	@cmake --preset dev && touch $@

build-%/.configured:
	@cmake --preset $* && touch $@
