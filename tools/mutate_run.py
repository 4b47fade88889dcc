"""Runs programs and unit tests with a mutant switched on: one start of each program, a child for each run (mutate_server.c)."""

import collections
import concurrent.futures
import hashlib
import itertools
import mmap
import os
import pickle
import queue
import re
import shutil
import subprocess

import notice

REPLAY = "replay"
SWEEP = "sweep"
# Every operation of a kind fails once in such a program (fuzz/sweep): errors that nobody passes on.
SWEEPS = ["%s corpus/seeds/%s.jet" % pair for pair in (
    ("io", "recovery-uncommitted"), ("alloc", "recovery-uncommitted"), ("machine", "recovery-uncommitted"),
    ("io", "recovery-undoes-changes"), ("io", "restore-external"), ("alloc", "restore-external"), ("io", "restore-chain"),
    ("io", "crash-then-restore"), ("io", "snapshot-incremental"), ("alloc", "snapshot-incremental"),
    ("io", "stop-in-logs-phase"), ("alloc", "stop-in-logs-phase"), ("machine", "stop-in-logs-phase"),
    ("io", "circular-logging"), ("alloc", "circular-logging"))]
DEFINED = "-ftrivial-auto-var-init=pattern"  # what a mutant leaves unset is not by chance what it should be


class Unit:
    """A program, a sweep, or one test of a unit test: what can be run by itself."""

    def __init__(self, server, what, name):
        self.server, self.what, self.name = server, what, name
        self.seconds, self.seen = 0.0, b""

    def limits(self):
        return "%d %d" % (int(10 * self.seconds) + 2, 20000 + int(30000 * self.seconds))


class Server:
    """A process that waits for requests."""

    def __init__(self, worker, program, count):
        self.out = os.path.join(worker.directory, program + ".out")
        self.seen_path = os.path.join(worker.directory, program + ".seen")
        environment = dict(worker.environment, MUTANTS_OUT=self.out, MUTANTS_SEEN=self.seen_path)
        self.process = subprocess.Popen([os.path.join(worker.engine, program)], cwd=worker.copy, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
                                        start_new_session=True)
        self.names = self.process.stdout.readline().split()[1:]
        with open(self.seen_path, "r+b") as file:
            self.seen = mmap.mmap(file.fileno(), count)

    def request(self, mutant, runs):
        """Runs units [(unit, limits)] until one notices: (how many ran, noticed what or None, seconds of processor time)."""
        self.process.stdin.write("".join("%d %s %s\n" % (mutant, limits, unit.what) for unit, limits in runs) + "end\n")
        self.process.stdin.flush()
        count, kind, status, used = (int(word) for word in self.process.stdout.readline().split())
        said = None
        if kind == 3:
            said = "hangs"
        elif kind != 0:
            said = self.said() or ("signal %d" if kind == 2 else "exit status %d") % status
        return count, said, used / 1e6

    def said(self):
        with open(self.out, errors="replace") as file:
            lines = [line.strip() for line in file.read(200000).splitlines()]
        words = [line for line in lines if re.search(r"[Aa]ssertion|lock order|leak|error:|!=|expected", line)]
        return words[0][:200] if words else ""

    def end(self):
        notice.kill(self.process)
        self.process.wait()


class Worker:
    """The servers of one thread."""

    def __init__(self, build, number):
        self.directory = os.path.join(build.mutated, "run-%d" % number)
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(os.path.join(self.directory, "temporary"))
        self.engine, self.copy, self.count = build.engine, build.tree.copy, max(build.count, 1)
        self.environment = build.tree.environment(build.engine, {"TMPDIR": os.path.join(self.directory, "temporary")})
        self.servers = {}

    def server(self, program):
        if program not in self.servers:
            self.servers[program] = Server(self, program, self.count)
        return self.servers[program]

    def look(self, unit):
        """Runs without a mutant: what fails; notes time and places."""
        server = self.server(unit.server)
        server.seen[:] = bytes(self.count)
        _, said, unit.seconds = server.request(-1, [(unit, "120 240000")])
        unit.seen = bytes(server.seen)
        return said

    def run(self, mutant, units):
        """Units of the same server."""
        try:
            return self.server(units[0].server).request(mutant, [(unit, unit.limits()) for unit in units])
        except (ValueError, OSError):  # the server itself is gone
            self.servers.pop(units[0].server).end()
            return 1, "the process is gone", 0.0

    def end(self):
        for server in self.servers.values():
            server.end()
        shutil.rmtree(self.directory, ignore_errors=True)


class Pool:
    """A few workers at the same time."""

    def __init__(self, build, jobs):
        self.free = queue.Queue()
        self.workers = [Worker(build, number) for number in range(jobs)]
        for worker in self.workers:
            self.free.put(worker)
        self.threads = concurrent.futures.ThreadPoolExecutor(jobs)

    def each(self, act, items):
        """act(worker, item) for all; their results as they come: (item, result)."""
        def one(item):
            worker = self.free.get()
            try:
                return item, act(worker, item)
            finally:
                self.free.put(worker)
        return self.threads.map(one, items)

    def end(self):
        self.threads.shutdown()
        for worker in self.workers:
            worker.end()


class Baseline:
    """Which program and which test comes by which mutant, and how long it takes."""

    def __init__(self, build, pool, programs, tests, sweeps):
        units = [Unit(REPLAY, path, path) for path in self.program_paths(build.tree.copy, programs)]
        units += [Unit(SWEEP, sweep, "sweep: " + sweep) for sweep in sweeps]
        for test in tests:
            names = pool.workers[0].server("test-" + test).names
            units += [Unit("test-" + test, str(i), "%s_test: %s" % (test, name)) for i, name in enumerate(names)]
        kept = os.path.join(build.mutated, "baseline")
        key = self.key(build, [unit.name for unit in units])
        if notice.kept(kept) == key:
            with open(kept, "rb") as file:
                self.units, self.failed = pickle.load(file)
        else:
            self.look(pool, units)
            with open(kept, "wb") as file:
                pickle.dump((self.units, self.failed), file)
            notice.keep(kept, key)
        self.noticed = collections.Counter()  # (function, unit's name): how many of its mutants the unit noticed

    def look(self, pool, units):
        self.units, self.failed = [], []
        for unit, said in pool.each(Worker.look, units):
            if said:
                self.failed.append((unit, said))
            elif any(unit.seen):
                self.units.append(unit)
        self.units.sort(key=lambda unit: unit.seconds)

    @staticmethod
    def key(build, names):
        """All that the baseline depends on, as a number."""
        digest = hashlib.sha1(repr((build.count, names)).encode())
        for folder, folders, files in os.walk(build.tree.copy):
            folders.sort()
            for name in sorted(files):
                with open(os.path.join(folder, name), "rb") as file:
                    digest.update(name.encode() + file.read())
        return digest.hexdigest()

    @staticmethod
    def program_paths(copy, parts):
        below = [os.path.relpath(os.path.join(folder, name), copy) for part in parts
                 for folder, _, names in os.walk(os.path.join(copy, part)) for name in names if name.endswith(".jet")]
        return sorted(below + [part for part in parts if part.endswith(".jet")])

    def fitting(self, mutant):
        """The units that can notice a mutant, the likely and quick ones first; and how many come by."""
        came = sum(unit.seen[mutant.number] != 0 for unit in self.units)
        units = [unit for unit in self.units if unit.seen[mutant.number] & 2]

        layer = mutant.file.split("/")[1]

        def cost(unit):
            likely = 20 * self.noticed[mutant.function, unit.name] + 2 * self.noticed[mutant.file, unit.name]
            return (unit.seconds + 0.002) / (1 + likely + (10 if unit.name.startswith(layer) else 0))
        return sorted(units, key=cost), came

    def seconds(self, mutant):
        """How long a mutant takes that nothing notices."""
        return sum(unit.seconds for unit in self.units if unit.seen[mutant.number] & 2)

    def remember(self, mutant, name):
        self.noticed[mutant.function, name] += 1
        self.noticed[mutant.file, name] += 1

    def attempt(self, worker, mutant, seconds):
        """The result for a mutant; `seconds`: of processor time, at most."""
        units, came = self.fitting(mutant)
        result = {"state": "survived" if units else "no difference" if came else "not reached", "came": came, "differed": len(units),
                  "ran": 0, "seconds": 0.0}
        for _, group in itertools.groupby(units, lambda unit: unit.server):
            if result["seconds"] > seconds:
                break
            group = list(group)
            count, said, used = worker.run(mutant.number, group)
            result["seconds"] = round(result["seconds"] + used, 3)
            result["ran"] += count
            if said:
                unit = group[count - 1]
                self.remember(mutant, unit.name)
                result.update(state="noticed", by=unit.name, said=said)
                break
        return result


class Equality:
    """Which mutants the compiler makes the same machine code of: no test can tell those."""

    def __init__(self, build):
        self.build, self.originals = build, {}
        self.flags = [flag for flag in notice.FLAGS if flag not in ("-g", "-O1")] + ["-O2", DEFINED]

    def code(self, file, number, flags):
        out = os.path.join(self.build.mutated, "only-%s-%d.o" % (os.path.basename(file), number))
        command = ["clang"] + self.flags + list(flags) + ["-DMUTANT_ONLY=%d" % number, "-include", self.build.header, "-c",
                                                          os.path.join(self.build.mutated, file), "-o", out]
        done = notice.run(command, self.build.tree.copy)
        if done.returncode != 0:
            raise RuntimeError(done.stdout[-300:])
        with open(out, "rb") as made:
            code = made.read()
        os.remove(out)
        return code

    def original(self, file, flags):
        if (file, flags) not in self.originals:
            self.originals[file, flags] = self.code(file, -1, flags)
        return self.originals[file, flags]

    def state(self, mutant):
        """None, "equivalent", or "marked": behind a NEVER or ALWAYS."""
        for flags, state in (((), "equivalent"), (("-DESENT_COVERAGE",), "marked")):
            if self.code(mutant.file, mutant.number, flags) == self.original(mutant.file, flags):
                return state
        return None
