# A thin front of Meson and the scripts: what each word does is written where it is done.
#   make            build with gcc into build/gcc
#   make run        build, and start a gateway on loopback ports with a demo domain and mailbox
#   make test       install what is missing, build with gcc, clang and the sanitizers, run every suite, sum up
#   make bench      speed and memory beside Postfix (ONLY='relay.* idle.*' for a part)
#   make fuzz       every libFuzzer target in turn (SECONDS=60 each, ONLY=pattern for a part)
#   make check      gcc -fanalyzer, clang-tidy, cppcheck
#   make format     clang-format over the lines changed since the last commit (BASE=main: since another one)
#   make conformance   the suites of ../shared/conformance (ONLY='mimeminer smtp' for some)
#   make soak       the long runs
#   make deb        the Debian package, made twice and compared
#   make clean      remove what was built (unpacked peers stay: make distclean)

SECONDS = 60
ONLY =
BASE = HEAD

all: build/gcc/build.ninja
	@echo "building into build/gcc; the first time takes a minute or two"
	@ninja -C build/gcc --quiet

# What Meson finds is for those who ask; when it fails, for everybody.
build/gcc/build.ninja: | deps
	@mkdir -p build
	@CC=gcc meson setup build/gcc >build/gcc.log 2>&1 || { cat build/gcc.log; exit 1; }

deps:
	@packaging/install-build-deps

run: all
	@packaging/run-demo build/gcc

test: deps
	@tests/run-all

bench: all
	@python3 tests/bench/bench.py $(if $(ONLY),--only '$(ONLY)')

fuzz: deps
	@tests/fuzz/run $(SECONDS) $(ONLY)

check:
	@packaging/install-build-deps --check
	@tests/check

format:
	@packaging/install-build-deps --check
	@git clang-format --force --extensions c,h $(BASE) -- src tests

conformance: all
	@tests/conformance/run build/gcc $(ONLY)

soak: all
	@HANGU_BUILD=build/gcc python3 tests/e2e/run.py --soak

deb: deps
	@packaging/make-deb

clean:
	@rm -rf build/gcc build/clang build/asan build/fuzz build/tsan build/analyzer build/deb build/run build/*.log build/summary.txt

distclean:
	@rm -rf build

.PHONY: all deps run test bench fuzz check format conformance soak deb clean distclean
