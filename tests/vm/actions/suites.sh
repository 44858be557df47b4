# SPDX-License-Identifier: Apache-2.0
# The suites that tests/run passes on the host, here beside systemd and with every controller of cgroup v2: spec-tests of
# any runtime, and davit's own tests where the stage found them built. What is in /out is kept beside the job's log.
. /share/lib.sh
ENGINE=suites
# An emulator beside other load may take a minute for what takes a second.
patience=120
# What a test says is shown at once, so that a job that is cut short tells how far it came.
exec 8>&1
modprobe -a tun veth dummy 2>/dev/null

# What the programs were compiled to find.
if [ -x /share/fake-criu ]; then
  mkdir -p "$BUILT_TESTS/support/fake_criu"
  cp /share/fake-criu "$BUILT_TESTS/support/fake_criu/criu"
fi
if [ -n "${TESTS_DIR:-}" ]; then
  for directory in golden fuzz/corpus lint/schema; do
    mkdir -p "$(dirname "$TESTS_DIR/$directory")"
    [ ! -d "/share/${directory##*/}" ] || ln -sfn "/share/${directory##*/}" "$TESTS_DIR/$directory"
  done
fi
# suite NAME FILTER: the failures of a GoogleTest program, if it has any
suite() {
  local status=0
  [ -x "/share/$1-tests" ] || skip "davit_$1_tests was not built"
  RUNTIME=$runtime DAVIT_TEST_MANY=20 DAVIT_TEST_SERIES=20 DAVIT_TEST_CRASHES=5 DAVIT_TEST_RACES=10 \
    "/share/$1-tests" --gtest_color=no --gtest_filter="$2" 2>&1 | tee "/out/$1.log" >&8 || status=$?
  grep -aE '^\[  (PASSED|FAILED|SKIPPED)' "/out/$1.log" || tail -n 20 "/out/$1.log"
  return $status
}

# clauses SUITE: a suite of spec-tests; the report is one that can be merged
clauses() {
  local status=0
  [ -x /share/spec-tests ] || skip "spec-tests was not built"
  DAVIT_TEST_RACES=10 /share/spec-tests --runtime "$runtime" --suite "$1" ${FILTER:+--filter "$FILTER"} --patience $patience \
    --report "/out/$1.json" 2>&1 | tee "/out/$1.log" >&8 || status=$?
  awk '/^(passed|failed|not )/ { on = /^failed/ } on && count++ < 60' "/out/$1.log"
  grep -a '^clauses: checked' "/out/$1.log"
  return $status
}

do_spec() { clauses spec; }
do_attacks() { clauses attacks; }
do_unit() { [ "$RT" = davit ] || skip "tests of davit's code"; suite unit "${FILTER:-*}"; }
do_golden() { [ "$RT" = davit ] || skip "tests of davit's code"; suite golden "${FILTER:-*}"; }
do_kernel() { [ "$RT" = davit ] || skip "tests of davit's code"; suite kernel "${FILTER:-*}"; }
do_integration() { suite integration "${FILTER:-*}"; }
do_clean() { nothing_remains; }
actions unit golden kernel integration spec attacks clean
grep -as '^clauses: checked' /out/spec.log || true
