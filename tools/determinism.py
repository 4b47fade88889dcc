#!/usr/bin/env python3
"""One input, one transcript: runs the corpus in the fuzz targets of several builds, and in replay, and compares byte for byte.

Each build runs each program N times in one process. The first build's transcripts (calls, answers, and a number over all
files that were left) are what all others must say; each of them is then run by `replay` as a program of its own."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from bazel_runner import ROOT, bazel, errors_of, startup_options

# How a build's targets are asked to run files several times.
ENGINES = {
    "plain": "runner", "gcc": "runner", "opt": "runner", "asan-ubsan": "runner", "tsan": "runner", "msan": "runner",
    "libfuzzer": "libfuzzer", "libfuzzer-fast": "libfuzzer", "afl": "afl",
}
TARGETS = ["backup", "schedule", "fault", "crash", "file", "data", "text"]
HEADER = re.compile(rb"^# input ([0-9a-f]+) files ([0-9a-f]+)$", re.M)
ARGUMENTS = 2000


class Trouble(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tools/determinism.py", description=__doc__)
    parser.add_argument("--times", type=int, default=10, metavar="N", help="runs of each program in each build (default 10)")
    parser.add_argument("--builds", default="plain,gcc,opt,asan-ubsan,libfuzzer,afl", help="of: %s" % " ".join(ENGINES))
    parser.add_argument("--targets", default=",".join(TARGETS), help="default: all")
    parser.add_argument("--keep", metavar="FOLDER", help="keep the transcripts there")
    parser.add_argument("folders", nargs="*", default=[os.path.join(ROOT, "corpus")], help="programs (default: the corpus)")
    return parser.parse_args()


def build(name, targets, place):
    """Builds a configuration's programs and copies them to a folder; returns it."""
    labels = ["//fuzz:%s_fuzz_bin" % target for target in targets] + (["//fuzz:replay"] if ENGINES[name] == "runner" else [])
    log = os.path.join(place, name + ".log")
    if bazel(["build", "--color=no", "--curses=no", "--config=" + name] + labels, log, name + "  ") != 0:
        raise Trouble("%s does not build:\n%s" % (name, "\n".join(errors_of(log))))
    info = ["bazel"] + startup_options() + ["info", "--noshow_progress", "bazel-bin", "--config=" + name]
    binaries = subprocess.run(info, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout.strip()
    folder = os.path.join(place, name)
    os.makedirs(folder)
    for label in labels:
        shutil.copy(os.path.join(binaries, "fuzz", label.split(":")[1]), folder)
    return folder


def commands(engine, binary, files, times):
    if engine == "runner":
        return [[binary, "--direct", "--repeat", str(times)] + files]
    if engine == "libfuzzer":
        return [[binary, "-runs=%d" % times, "-timeout=60", "-rss_limit_mb=3000"] + files]
    # AFL++'s driver runs each file that it is given, once.
    repeated = [path for path in files for _ in range(times)]
    return [[binary] + repeated[at:at + ARGUMENTS] for at in range(0, len(repeated), ARGUMENTS)]


def transcripts(engine, binary, files, times, path):
    """Runs the files; returns {input: transcript}."""
    if os.path.exists(path):
        os.remove(path)
    environment = dict(os.environ, ESENT_FUZZ_TRANSCRIPTS=path, ASAN_OPTIONS="detect_leaks=0", AFL_QUIET="1")
    for command in commands(engine, binary, files, times):
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        if done.returncode != 0:
            raise Trouble("%s fails (status %d):\n%s" % (binary, done.returncode, done.stdout[-3000:]))
    with open(path, "rb") as source:
        text = source.read()
    starts = [found.start() for found in HEADER.finditer(text)] + [len(text)]
    said = {}
    for start, end in zip(starts, starts[1:]):
        part = text[start:end]
        name = HEADER.match(part).group(1)
        if said.setdefault(name, part) != part:
            raise Trouble("%s: input %s answers otherwise in another process" % (binary, name.decode()))
    return said


def compare(first, other, what):
    """Prints what differs; returns how many do."""
    bad = [name for name in sorted(set(first) | set(other)) if first.get(name) != other.get(name)]
    for name in bad[:3]:
        print("%s differs in input %s:\n%s\n--- first\n%s" % (
            what, name.decode(), other.get(name, b"(missing)").decode(), first.get(name, b"(missing)").decode()))
    return len(bad)


def run_in_replay(replay, said, folder):
    """Runs transcripts as programs; returns how many answer or leave anything else."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    bad = 0
    for name, part in said.items():
        path = os.path.join(folder, name.decode() + ".jet")
        with open(path, "wb") as out:
            out.write(part)
        answered = subprocess.run([replay, path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        if answered != part:
            bad += 1
            print("replay answers otherwise: %s" % path)
    numbers = subprocess.run([replay, "--fingerprint", folder], stdout=subprocess.PIPE, text=True).stdout
    for line in numbers.splitlines():
        path, _, files = line.rsplit(" ", 2)
        name = os.path.basename(path)[:-len(".jet")].encode()
        if HEADER.match(said[name]).group(2).decode() != files:
            bad += 1
            print("replay leaves other files: %s" % path)
    return bad


def check(options, place):
    files = []
    for folder in options.folders:
        for parent, _, names in os.walk(folder):
            files += [os.path.join(os.path.abspath(parent), name) for name in names if name.endswith(".jet")]
    files.sort()
    targets = options.targets.split(",")
    first = {}
    bad = 0
    for name in options.builds.split(","):
        folder = build(name, targets, place)
        for target in targets:
            started = time.time()
            path = os.path.join(place, "%s-%s.txt" % (name, target))
            said = transcripts(ENGINES[name], os.path.join(folder, target + "_fuzz_bin"), files, options.times, path)
            differ = compare(first.setdefault(target, said), said, "%s of %s" % (target, name))
            if ENGINES[name] == "runner":
                differ += run_in_replay(os.path.join(folder, "replay"), said, os.path.join(place, "programs"))
            bad += differ
            print("%-15s %-9s %4d inputs, %d times each: %s (%d s)" % (
                name, target, len(said), options.times, "%d differ" % differ if differ else "all alike", time.time() - started), flush=True)
    return bad


def main():
    options = parse_arguments()
    unknown = [name for name in options.builds.split(",") if name not in ENGINES]
    if unknown:
        sys.stderr.write("determinism: there is no build '%s'\n" % unknown[0])
        return 2
    place = options.keep or tempfile.mkdtemp(prefix="determinism-")
    os.makedirs(place, exist_ok=True)
    try:
        bad = check(options, os.path.abspath(place))
    except Trouble as trouble:
        print(trouble)
        bad = 1
    finally:
        if not options.keep:
            shutil.rmtree(place)
    print("one input, one transcript" if bad == 0 else "%d differ" % bad)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
