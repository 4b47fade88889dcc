"""./check: builds everything, runs every test in several builds, ends with `N passed, N failed`."""

import argparse
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time

from bazel_runner import ROOT, LiveLine, bazel, errors_of, query, test_results

OUTPUT = os.path.join(ROOT, "check-out")
CONFIGURATIONS = {
    "plain": "clang, assertions on",
    "gcc": "gcc: the same tests, its own warnings",
    "opt": "what users build: optimised, no assertions",
    "asan-ubsan": "address, leak and undefined-behaviour sanitizers",
    "tsan": "thread sanitizer",
    "msan": "memory sanitizer; each byte that goes to a file is looked at, too",
}
DEFAULT = ["plain", "asan-ubsan", "tsan"]
# Once is enough: the canary and the traced sweep need an engine of their own, the whole sweeps take long.
PLAIN_TESTS = ["//fuzz:canary_test", "//fuzz:sweep_full_test", "//fuzz:traced_sweep_test"]

CASE_STARTED = re.compile(r"^\[ RUN      \] ")
CASE_GOOD = re.compile(r"^\[       OK \] ")
CASE_SKIPPED = re.compile(r"^\[  SKIPPED \] ")
FILE_LINE = re.compile(r"^(ok|FAIL|skip) +\S")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        sys.stderr.write("check: %s\n(./check --help lists what is possible)\n" % message)
        sys.exit(2)


def parse_arguments():
    parser = Parser(
        prog="./check",
        description="Builds everything and runs every test: plain, then under the address and undefined-behaviour "
        "sanitizers, then under the thread sanitizer. The last line says how many test cases passed and failed.",
        epilog="Exit status: 0 all passed, 1 something failed, 2 wrong usage, 3 something is missing on this machine. "
        "Logs are kept in check-out/.",
    )
    parser.add_argument("--fast", action="store_true", help="only the plain build")
    parser.add_argument(
        "--config",
        action="append",
        metavar="NAME",
        choices=sorted(CONFIGURATIONS),
        help="run in this build instead (may be given several times): %s" % ", ".join(sorted(CONFIGURATIONS)),
    )
    parser.add_argument("--coverage", action="store_true", help="measure coverage of src/: lines, branches and, with clang 19, MC/DC (HTML report)")
    parser.add_argument("--filter", metavar="TEXT", default="", help="only tests whose name contains TEXT")
    return parser.parse_args()


def count_cases(log_path):
    """Cases in one test's log: (passed, failed, skipped, lines about failures). Knows cmocka's form and replay's."""
    started = good = skipped = files_good = files_bad = 0
    trouble = []
    if log_path and os.path.exists(log_path):
        with open(log_path, encoding="utf-8", errors="replace") as log:
            for line in log:
                if CASE_STARTED.match(line):
                    started += 1
                elif CASE_GOOD.match(line):
                    good += 1
                elif CASE_SKIPPED.match(line):
                    skipped += 1
                else:
                    found = FILE_LINE.match(line)
                    if found:
                        kind = found.group(1)
                        files_good += kind == "ok"
                        files_bad += kind == "FAIL"
                        skipped += kind == "skip"
                    if (found and found.group(1) == "FAIL") or re.search(
                        r"error: Failure|ERROR: |WARNING: ThreadSanitizer|runtime error:|[Aa]ssert|^call \d+:|SUMMARY:", line
                    ):
                        trouble.append(line.rstrip())
    cases_skipped = skipped
    bad = max(0, started - good - (skipped if started else 0))
    return good + files_good, bad + files_bad, cases_skipped, trouble


def test_environment():
    """Transcripts kept beside the checkout are found through the environment: a sandbox hides relative paths."""
    options = []
    shared = os.path.join(os.path.dirname(ROOT), "shared")
    if os.path.isdir(shared):
        options.append("--test_env=ESENT_SHARED=" + shared)
    return options


def run_configuration(name, tests, extra=()):
    """Builds and tests one configuration; prints its result; returns (passed, failed)."""
    started = time.time()
    log_path = os.path.join(OUTPUT, name + ".log")
    events = os.path.join(OUTPUT, name + ".events.json")
    if os.path.exists(events):
        os.remove(events)
    print("%-10s  %s" % (name, CONFIGURATIONS.get(name, "instrumented for coverage")), flush=True)
    arguments = ["test", "--config=" + name, "--keep_going", "--test_output=errors", "--color=no", "--curses=no"]
    arguments += ["--show_progress_rate_limit=0.5", "--build_event_json_file=" + events]
    arguments += test_environment() + list(extra)
    # Everything is built, also what no test uses.
    targets = ["//..."] + [label for label in tests if label not in ALL_TESTS] if set(ALL_TESTS) <= set(tests) else tests
    status = bazel(arguments + targets, log_path, name + "  ")
    results = test_results(events)
    passed = failed = skipped = 0
    for label in tests:
        runs = results.get(label)
        if not runs:
            failed += 1
            print("    FAILED  %s: not built, or not run" % label)
            continue
        for outcome, log in runs:
            good, bad, unable, trouble = count_cases(log)
            skipped += unable
            if outcome != "PASSED" and outcome != "FLAKY" and bad == 0:
                bad = 1
            if outcome == "PASSED" and good + bad == 0 and unable == 0:
                good = 1
            passed += good
            failed += bad
            if bad:
                print("    FAILED  %s: %d of %d (%s)" % (label, bad, good + bad, outcome.lower()))
                for line in trouble[:8]:
                    print("            " + line)
                print("            log: " + log)
    if status != 0 and failed == 0:
        failed = 1
    # Bazel's status 3 means "built, but tests failed": the lines above tell. Anything else is a build failure.
    if status not in (0, 3):
        print("    Bazel failed (status %d):" % status)
        for line in errors_of(log_path):
            print("            " + line)
        print("            log: " + log_path)
    note = ", %d skipped" % skipped if skipped else ""
    print("%-10s  %d passed, %d failed%s, %d s" % (name, passed, failed, note, time.time() - started), flush=True)
    return passed, failed


def find_tools():
    """LLVM's coverage tools: (clang's major version, path of llvm-profdata, path of llvm-cov). 19 measures MC/DC, too."""
    for version in ("19", "14"):
        tools = [shutil.which(name + "-" + version) for name in ("clang", "llvm-profdata", "llvm-cov")]
        if all(tools) and glob.glob("/usr/lib/llvm-%s/lib/clang/*/lib/linux/libclang_rt.profile-*.a" % version):
            return int(version), tools[1], tools[2]
    sys.stderr.write("check: llvm-profdata and llvm-cov are missing; install clang-14 llvm-14 libclang-rt-14-dev\n")
    sys.exit(3)


def instrumented_binaries(tests):
    """Every program that was built for coverage and may have run."""
    names = [label[2:].replace(":", "/") for label in tests] + ["fuzz/replay"]
    paths = [os.path.join(ROOT, "bazel-bin", name) for name in names]
    # A script has no coverage map; the programs it starts are tests or tools of their own.
    return [path for path in paths if os.path.exists(path) and open(path, "rb").read(4) == b"\x7fELF"]


KINDS = ("lines", "branches", "mcdc")
# The compiler ran in a sandbox, so the recorded names begin with /proc/self/cwd/.
OURS = "^((/proc/self/cwd|%s)/)?" % re.escape(ROOT)


def folder_table(summary):
    """Lines of a table of src/ by folder, from what `llvm-cov export -summary-only` says."""
    folders = {}
    for item in json.loads(summary)["data"][0]["files"]:
        if item["summary"]["lines"]["count"] == 0:
            continue
        inside = re.sub(OURS, "", item["filename"])
        for name in (os.path.dirname(inside), "all"):
            sums = folders.setdefault(name, {kind: [0, 0] for kind in KINDS})
            for kind in KINDS:
                numbers = item["summary"].get(kind, {"count": 0, "covered": 0})
                sums[kind][0] += numbers["count"]
                sums[kind][1] += numbers["covered"]
    lines = ["%-16s %22s %22s %22s" % ("folder", "lines", "branches", "MC/DC conditions")]
    for name in sorted(folders, key=lambda name: (name == "all", name)):
        cells = []
        for count, covered in (folders[name][kind] for kind in KINDS):
            cells.append("%d of %d %6.2f %%" % (covered, count, 100.0 * covered / count) if count else "-")
        lines.append("%-16s %22s %22s %22s" % tuple([name] + cells))
    return lines


def write_reports(folder, merged, tests, version, cov):
    """Writes the HTML and the tables; returns the lines of the table by folder."""
    binaries = instrumented_binaries(tests)
    objects = [binaries[0]] + [item for binary in binaries[1:] for item in ("-object", binary)]
    common = objects + ["-instr-profile=" + merged, "-ignore-filename-regex=%s(tests|fuzz|bench|tools)/|^/usr/" % OURS]
    common.append("-path-equivalence=/proc/self/cwd,%s" % ROOT)
    show = ["-format=html", "-show-branches=count", "-output-dir=" + os.path.join(folder, "html")]
    report = ["-show-region-summary=0"]
    if version >= 19:
        show += ["-show-mcdc", "-show-mcdc-summary"]
        report.append("-show-mcdc-summary")

    def run(verb, *options):
        command = [cov, verb] + common + list(options)
        return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL).stdout

    run("show", *show)
    with open(os.path.join(folder, "report.txt"), "w", encoding="utf-8") as out:
        out.write(run("report", *report))
    table = folder_table(run("export", "-summary-only"))
    with open(os.path.join(folder, "folders.txt"), "w", encoding="utf-8") as out:
        out.write("\n".join(table) + "\n")
    return table


def run_coverage(tests):
    """Runs the tests instrumented and writes an HTML report of src/; returns (passed, failed)."""
    version, profdata, cov = find_tools()
    folder = os.path.join(ROOT, "coverage-out")
    shutil.rmtree(folder, ignore_errors=True)
    raw = os.path.join(folder, "raw")
    os.makedirs(raw)
    extra = ["--test_env=LLVM_PROFILE_FILE=%s/%%m-%%p.profraw" % raw, "--sandbox_writable_path=" + raw]
    extra.append("--nocache_test_results")
    if version >= 19:
        extra.append("--config=mcdc")
    counts = run_configuration("coverage", tests, extra)
    profiles = glob.glob(raw + "/*.profraw")
    if not profiles:
        print("no coverage was recorded: no instrumented test ran")
        return counts
    merged = os.path.join(folder, "coverage.profdata")
    listing = os.path.join(folder, "profiles.txt")
    with open(listing, "w", encoding="utf-8") as out:
        out.write("\n".join(profiles) + "\n")
    subprocess.run([profdata, "merge", "-sparse", "-f", listing, "-o", merged], check=True)
    table = write_reports(folder, merged, tests, version, cov)
    shutil.rmtree(raw)
    print("\n".join(table))
    print("coverage: %s (by file: %s)" % (os.path.join(folder, "html", "index.html"), os.path.join(folder, "report.txt")))
    if version < 19:
        print("(for MC/DC: apt-get install clang-19 llvm-19 libclang-rt-19-dev)")
    return counts


ALL_TESTS = []


def main():
    options = parse_arguments()
    os.makedirs(OUTPUT, exist_ok=True)
    try:
        ALL_TESTS.extend(query("tests(//...) except attr(tags, manual, tests(//...))"))
    except RuntimeError as trouble:
        sys.stderr.write("check: Bazel cannot read the build files:\n%s\n" % trouble)
        print("0 passed, 1 failed")
        return 1
    tests = [label for label in ALL_TESTS if options.filter in label]
    if not tests:
        sys.stderr.write("check: no test's name contains '%s'\n" % options.filter)
        return 2
    names = options.config or (["plain"] if options.fast else DEFAULT)
    passed = failed = 0
    try:
        if options.coverage:
            passed, failed = run_coverage(tests)
        else:
            for name in names:
                more = [test for test in PLAIN_TESTS if name == "plain" and options.filter in test]
                good, bad = run_configuration(name, tests + more)
                passed += good
                failed += bad
    except KeyboardInterrupt:
        LiveLine().clear()
        sys.stderr.write("check: interrupted\n")
        failed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
