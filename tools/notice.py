"""What bugs.py and mutants.py share: a copy of the tree, engines built from it, and the ways to notice a wrong one.

An engine is one shared library of everything in src/; the programs that look at it (replay, the unit tests, the fuzz
targets) are built once and find the library through LD_LIBRARY_PATH. Needs clang, ICU, cmocka and git, not Bazel.
"""

import concurrent.futures
import glob
import hashlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAMS = ["corpus/seeds", "corpus/regressions", "tests/golden"]
TARGETS = ["backup_fuzz", "schedule_fuzz", "crash_fuzz", "fault_fuzz", "file_fuzz", "data_fuzz", "text_fuzz"]
FLAGS = ["-std=c11", "-D_GNU_SOURCE", "-g", "-O1", "-w", "-fPIC", "-fno-omit-frame-pointer", "-DESENT_ASSERTIONS=1", "-I."]
DEPENDENCIES = ["-MMD"]
MAIN = re.compile(r"(_main|_fuzz|_shim)\.c$|^fuzz/target/")  # not in every program
LIBRARY = "libengine.so"
# Tests of the harness alone say nothing about the engine; the kill and thread tests are the slow ones.
HARNESS_TESTS = {"abi_structures", "fuzz_heap", "minimise", "mutate", "program_text", "model_judge"}
CPU_SECONDS = 20  # of one process, then it counts as hanging
WALL_SECONDS = 120


def run(command, directory, seconds=None, environment=None):
    return subprocess.run(command, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=seconds, env=environment)


def limit_cpu():
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Tree:
    """A copy of the present commit (or of the files as they are); its objects and the programs built from them."""

    def __init__(self, work, worktree=False):
        self.work = work
        self.copy = os.path.join(work, "tree")
        self.objects = os.path.join(work, "objects")
        self.bin = os.path.join(work, "bin")
        self.texts = {}  # digests of files
        self.linker = ["-fuse-ld=lld"] if shutil.which("ld.lld") else []
        self.compiler = (["ccache"] if shutil.which("ccache") else []) + ["clang"]
        for directory in (self.copy, self.bin):
            shutil.rmtree(directory, ignore_errors=True)
            os.makedirs(directory)
        self.copy_sources(worktree)
        shared = os.path.join(os.path.dirname(ROOT), "shared")  # recorded files that some tests look for beside the tree
        if os.path.isdir(shared) and not os.path.exists(os.path.join(work, "shared")):
            os.symlink(shared, os.path.join(work, "shared"))
        found = (os.path.relpath(path, self.copy) for part in ("src", "fuzz", "tests")
                 for path in glob.glob(os.path.join(self.copy, part, "**", "*.c"), recursive=True))
        self.sources = sorted(source for source in found if not source.endswith("_shim.c"))
        self.engine = [source for source in self.sources if source.startswith("src/")]
        self.tests = sorted(os.path.basename(source)[: -len("_test.c")] for source in self.sources
                            if source.startswith("tests/") and source.endswith("_test.c"))
        self.tests = [test for test in self.tests if test not in HARNESS_TESTS]

    def copy_sources(self, worktree):
        parts = ["src", "include", "fuzz", "corpus", "tests"]
        if worktree:
            names = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"] + parts, ROOT).stdout
            names = "\n".join(name for name in names.splitlines() if os.path.exists(os.path.join(ROOT, name)))
            command = ["tar", "-c", "-C", ROOT, "-T", "-"]
        else:
            names, command = "", ["git", "archive", "HEAD"] + parts
        archive = subprocess.run(command, cwd=ROOT, input=names.encode(), stdout=subprocess.PIPE, check=True).stdout
        subprocess.run(["tar", "-x", "-C", self.copy], input=archive, check=True)

    def key(self, path, out, *others):
        """What an object is made from, as a number: the file, the headers it was made with and what else is named."""
        digest = hashlib.sha1(repr((self.compiler, FLAGS, others)).encode())
        for name in [path] + headers_of(out):
            name = os.path.join(self.copy, name)
            if name not in self.texts:
                try:
                    with open(name, "rb") as file:
                        self.texts[name] = hashlib.sha1(file.read()).digest()
                except FileNotFoundError:
                    return None
            digest.update(self.texts[name])
        return digest.hexdigest()

    def compile(self, source, tree, objects, flags=()):
        """The object, or None; what is there already is kept."""
        out = os.path.join(objects, source[:-2] + ".o")
        os.makedirs(os.path.dirname(out), exist_ok=True)
        path = os.path.join(tree, source)
        key = self.key(path, out, source, flags)
        if key is not None and kept(out) == key:
            return out
        done = run(self.compiler + FLAGS + list(flags) + DEPENDENCIES + ["-c", source, "-o", out], tree)
        if done.returncode != 0:
            return None
        keep(out, self.key(path, out, source, flags))
        return out

    def compile_all(self, sources, objects, flags=()):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            outs = list(pool.map(lambda source: self.compile(source, self.copy, objects, flags), sources))
        if None in outs:
            sys.exit("the tree without a change does not build: " + sources[outs.index(None)])
        return dict(zip(sources, outs))

    def link_engine(self, directory, changed, flags=()):
        """An engine in `directory`; `changed`: objects that replace the tree's own, by source."""
        os.makedirs(directory, exist_ok=True)
        objects = [changed.get(source, self.object(source)) for source in self.engine]
        done = run(["clang", "-shared", "-Wl,-Bsymbolic", "-Wl,-soname," + LIBRARY] + list(flags) + objects +
                   ["-o", os.path.join(directory, LIBRARY), "-lpthread", "-licui18n", "-licuuc"], self.copy)
        if done.returncode != 0:
            raise RuntimeError("does not link: " + done.stdout[-300:])

    def link_program(self, name, sources, directory=None, others=()):
        """A program of the tree, against the engine in `directory`; `others`: more objects and flags."""
        directory = directory or self.bin
        objects = [self.object(source) for source in sources] + list(others)
        done = run(["clang", "-Wl,-S"] + self.linker + objects + [self.archive, os.path.join(directory, LIBRARY), "-o",
                    os.path.join(directory, name), "-lcmocka", "-lpthread", "-licui18n", "-licuuc"], self.copy)
        if done.returncode != 0:
            sys.exit("%s does not link: %s" % (name, done.stdout[-300:]))

    def object(self, source):
        return os.path.join(self.objects, source[:-2] + ".o")

    def compile_tree(self):
        """All objects; what tests and targets share is an archive."""
        self.compile_all(self.sources, self.objects)
        shared = [source for source in self.sources if (source.startswith("fuzz/") and not MAIN.search(source)) or
                  (source.startswith("tests/") and not source.endswith("_test.c"))]
        self.archive = os.path.join(self.bin, "libharness.a")
        if run(["ar", "rcs", self.archive] + [self.object(source) for source in shared], self.copy).returncode != 0:
            sys.exit("no archive")

    def build(self):
        """The engine without a change, and all that looks at engines."""
        self.compile_tree()
        self.link_engine(self.bin, {})
        self.link_program("replay", ["fuzz/replay_main.c"])
        for test in self.tests:
            self.link_program("test-" + test, ["tests/%s_test.c" % test])
        for target in TARGETS:
            self.link_program(target, ["fuzz/%s.c" % target] + [source for source in self.sources if source.startswith("fuzz/target/")])

    def environment(self, engine, extra=None):
        return dict(os.environ, LD_LIBRARY_PATH=engine, **(extra or {}))

    def start(self, engine, command, extra=None):
        return subprocess.Popen([os.path.join(self.bin, command[0])] + command[1:], cwd=self.copy, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
                                env=self.environment(engine, extra), preexec_fn=limit_cpu)

    def finish(self, process, seconds):
        """(what it printed, exit status); status None: it hung."""
        try:
            text, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            kill(process)
            text, _ = process.communicate()
            return text or "", None
        return text, process.returncode

    # --- the ways to notice

    def differences(self, engine, mode="--check", programs=PROGRAMS, first=True, known=(), extra=None, listed=None):
        """What replay finds, as (path, message); ends it after the first if `first`."""
        command = ["replay", mode, "--timeout", "30"] + (["--files", listed] if listed else list(programs))
        process = self.start(engine, command, extra)
        found = []
        before = ""
        for line in process.stdout:
            match = re.match(r"(\S+\.jet):(\d+): (.*)", line)
            if not match:
                before = line.strip()
                continue
            path, _, message = match.groups()
            if path in known:
                continue
            said = " (%s)" % before if before and "crashes" in message else ""  # the assertion that failed
            found.append((path, message + said))
            if first:
                kill(process)
                break
        process.stdout.close()
        process.wait()
        return found

    def fingerprints(self, engine, programs=PROGRAMS):
        text, _ = self.finish(self.start(engine, ["replay", "--fingerprint", "--timeout", "30"] + list(programs)), WALL_SECONDS)
        return dict(line.split(" ", 1) for line in text.splitlines() if re.match(r"\S+\.jet [0-9a-f]{16} ", line))

    def test_fails(self, engine, test, extra=None):
        """None, or what the unit test says."""
        text, status = self.finish(self.start(engine, ["test-" + test], extra), WALL_SECONDS)
        if status == 0:
            return None
        if status is None or status == -signal.SIGXCPU:
            return "hangs"
        lines = [line.strip() for line in text.splitlines()]
        failed = [line for line in lines if "FAILED" in line and "]" in line]
        said = [line for line in lines if re.search(r"[Aa]ssertion|lock order|leak|error:|!=|expected", line)]
        name = failed[0].split("]")[-1].strip() if failed else ""
        return ("%s: " % name if name else "") + (said[0] if said else "exit status %s" % status)

    def hunt(self, engine, target, seconds, most=None):
        """None, or (what, call, programs run). `most`: how many programs at most."""
        limits = str(seconds) if most is None else "%d:%s" % (seconds, most)
        process = self.start(engine, [target, "--hunt", limits, "corpus/seeds", "corpus/regressions"])
        text, status = self.finish(process, seconds + 20)
        if status is None:
            return "a program hangs", "", ""
        if status != 0:
            return None
        count = re.search(r"found after (\d+) programs", text)
        rule = re.search(r"^rule: (.*)$", text, re.M)
        assertion = re.search(r"^(.*(?:[Aa]ssertion|lock order|leak).*)$", text, re.M)
        here = re.search(r"^(.*\S)\s+# <-- here$", text, re.M)
        said = rule.group(1) if rule else assertion.group(1) if assertion else "the process died"
        return said.strip(), here.group(1).split()[0] if here else "", count.group(1) if count else ""

    def tests_for(self, layer):
        """The unit tests, those of the layer first."""
        tests = [test for test in self.tests if test not in HARNESS_TESTS]
        words = {"instance": ("instance", "api"), "os": ("os",), "table": ("table", "data"), "backup": ("backup", "api_faults", "api_con")}
        own = words.get(layer, (layer,))
        late = ("kill", "btree_threads", "replay_programs")
        return sorted(tests, key=lambda test: (not test.startswith(own), test.startswith(late), test))


def headers_of(out):
    """The headers of the tree that an object was made with."""
    try:
        with open(out[:-2] + ".d") as file:
            words = file.read().replace("\\\n", " ").split()[1:]
    except FileNotFoundError:
        return []
    return [word for word in words if word.endswith(".h") and not word.startswith("/usr")]


def kept(path):
    """The key of what is there."""
    try:
        with open(path + ".key") as file:
            return file.read() if os.path.exists(path) else None
    except FileNotFoundError:
        return None


def keep(path, key):
    with open(path + ".key", "w") as file:
        file.write(key)


def kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stopwatch():
    start = time.monotonic()
    return lambda: time.monotonic() - start
