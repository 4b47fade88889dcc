"""Runs Bazel for ./check and ./campaign: quiet when all is well, with a live line on a terminal."""

import json
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRESS = re.compile(r"^\[[\d,]+ / [\d,]+\]")


class LiveLine:
    """One line of a terminal that is rewritten in place; silent when the output is not a terminal."""

    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.on = stream.isatty()
        self.length = 0

    def show(self, text):
        if not self.on:
            return
        width = max(20, os.get_terminal_size(self.stream.fileno()).columns - 1)
        text = text[:width]
        self.stream.write("\r" + text + " " * max(0, self.length - len(text)))
        self.stream.flush()
        self.length = len(text)

    def clear(self):
        if self.on and self.length:
            self.stream.write("\r" + " " * self.length + "\r")
            self.stream.flush()
            self.length = 0


def startup_options():
    """Options that come before Bazel's command, e.g. a place for its caches, from ESENT_BAZEL_STARTUP."""
    return os.environ.get("ESENT_BAZEL_STARTUP", "").split()


def bazel(arguments, log_path, prefix=""):
    """Runs Bazel with its output in `log_path`. Returns its exit status; raises KeyboardInterrupt on Ctrl-C."""
    live = LiveLine()
    started = time.time()
    last = [""]
    command = ["bazel"] + startup_options() + arguments
    with open(log_path, "w", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )

        def pump():
            for line in process.stdout:
                log.write(line)
                log.flush()
                if PROGRESS.match(line):
                    last[0] = line.strip()

        reader = threading.Thread(target=pump, daemon=True)
        reader.start()
        try:
            while process.poll() is None:
                time.sleep(0.2)
                live.show("%s%4d s  %s" % (prefix, time.time() - started, last[0]))
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        finally:
            live.clear()
        reader.join(timeout=5)
    return process.returncode


def query(expression):
    """Labels that a Bazel query yields."""
    done = subprocess.run(
        ["bazel"] + startup_options() + ["query", "--noshow_progress", expression],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return [line.strip() for line in done.stdout.splitlines() if line.strip()]


def errors_of(log_path, limit=40):
    """The lines of a Bazel log that tell what went wrong."""
    kept = []
    with open(log_path, encoding="utf-8", errors="replace") as log:
        for line in log:
            if re.match(r"^(ERROR|FAILED|FAIL):", line) or re.search(r": (fatal )?error: |undefined (symbol|reference)", line):
                kept.append(line.rstrip())
    return kept[:limit]


def test_results(event_path):
    """Reads Bazel's event file: {label: [(status, path of its log)]}, one entry a run or shard."""
    results = {}
    if not os.path.exists(event_path):
        return results
    with open(event_path, encoding="utf-8", errors="replace") as events:
        for line in events:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            identity = event.get("id", {}).get("testResult")
            if identity is None or "testResult" not in event:
                continue
            result = event["testResult"]
            log = ""
            for output in result.get("testActionOutput", []):
                if output.get("name") == "test.log":
                    log = output.get("uri", "").replace("file://", "")
            results.setdefault(identity["label"], []).append((result.get("status", "NO_STATUS"), log))
    return results
