"""Tests of what ./campaign does with findings: causes told apart, programs reduced. Prints `ok` or `FAIL` for each."""

import sys
import tempfile
import traceback
import types

from campaign import Campaign
from campaign_page import page
from campaign_finds import Finds, explanation, signature, simpler_lines

MODEL = """INFO: Seed: 1
call 7: expected -801, got 0 cb=65536
    ReadFileInstance i0 h0 65536
rule: I1 ReadFileInstance
"""

ADDRESS = """==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x1
READ of size 4 at 0x1 thread T0
    #0 0x55 in page_read /proc/self/cwd/src/page/page.c:12:3
    #1 0x56 in cache_get /proc/self/cwd/src/cache/cache.c:9:1
    #2 0x57 in main /proc/self/cwd/fuzz/target/regression_main.c:1:1
"""


def test_slices_are_longer_than_reading_takes():
    campaign = Campaign.__new__(Campaign)
    campaign.options = types.SimpleNamespace(jobs=2)
    campaign.targets = ["backup_fuzz", "data_fuzz", "text_fuzz"]
    campaign.reading = {name: 0 for name in campaign.targets}
    assert campaign.round_seconds() == 600
    campaign.reading["data_fuzz"] = 60
    plan = [piece for slot in campaign.plan_round(campaign.round_seconds()) for piece in slot]
    assert sum(seconds for name, seconds in plan if name == "data_fuzz") >= 600
    said = []
    campaign.say = said.append
    campaign.warn_of_readings(campaign.plan_round(300))
    assert [text.split(":")[0] for text in said] == ["data_fuzz"]


def test_model_findings_are_told_apart_by_rule_and_codes():
    assert signature(MODEL) == ("model", "I1 ReadFileInstance: -801 / 0")
    assert signature(MODEL) != signature(MODEL.replace("got 0", "got -1"))
    assert signature(MODEL) == signature(MODEL.replace("call 7", "call 9"))


def test_sanitizer_findings_are_told_apart_by_the_engines_functions():
    assert signature(ADDRESS) == ("heap-use-after-free", "page_read < cache_get")
    assert signature(ADDRESS) == signature(ADDRESS.replace(":12:3", ":99:3"))


def test_a_crash_without_the_address_sanitizer_is_told_apart_too():
    crash = ADDRESS.replace("AddressSanitizer: heap-use-after-free on", "UndefinedBehaviorSanitizer: SEGV on unknown")
    assert signature(crash) == ("segv", "page_read < cache_get")


def test_leaks_are_called_so():
    leak = ADDRESS.replace("AddressSanitizer: heap-use-after-free on address 0x1", "LeakSanitizer: detected memory leaks")
    assert signature(leak) == ("leak", "page_read < cache_get")


def test_undefined_behaviour_is_told_apart_by_message_and_file():
    kind, key = signature("src/log/log.c:5:9: runtime error: load of misaligned address 0x123 for type 'int'\n")
    assert kind == "undefined behaviour" and key.endswith("in log.c") and "0x123" not in key


def test_a_good_run_has_no_signature():
    assert signature("Executed x in 1 ms\n***\n") == ("", "")


def test_the_explanation_starts_with_the_call():
    assert explanation(MODEL).startswith("call 7: expected -801, got 0")


def test_simpler_lines_drop_extras_and_shrink_numbers():
    simpler = list(simpler_lines('@1 Insert s0 t0 1 100 40 seed=3'))
    assert "Insert s0 t0 1 100 40 seed=3" in simpler
    assert "@1 Insert s0 t0 1 100 40" in simpler
    assert "@1 Insert s0 t0 1 0 40 seed=3" in simpler
    assert list(simpler_lines('Check "a b/1"')) == []


def test_reduction_keeps_only_what_is_needed():
    with tempfile.TemporaryDirectory() as folder:
        finds = Finds(folder, {"environment": {}, "run options": [], "printers": {}}, 30)

        def run(binary, path, seconds=30):
            lines = open(path, encoding="utf-8").read().split("\n")
            return MODEL if "needed 1" in lines and any(line.startswith("second") for line in lines) else ""

        finds.run = run
        find = {"name": "x", "kind": "model", "key": "I1 ReadFileInstance: -801 / 0"}
        finds.path = lambda find, name: folder + "/" + name
        text = "\n".join(["set page 4096"] + ["noise %d" % i for i in range(40)] + ["needed 1", "noise", "second 77", "noise"])
        lines, output = finds.reduce(find, "", text, MODEL)
        assert lines == ["needed 1", "second 0"], lines
        assert output == MODEL


def test_a_simulation_that_is_stuck_is_a_find():
    assert signature("simulation stuck: deadlock after 812 points\nthread 1: waits\n") == ("stuck", "deadlock")


def test_the_page_shows_each_find_and_escapes_its_texts():
    find = {"name": "001-x", "kind": "model", "key": "a < b", "headline": "call 1: expected <0>", "target": "t", "times": 2,
            "calls": 1, "found": "today"}
    texts = {"program.jet": "Init i0 # <&>"}
    shown = page(["target runs", "one 5", "all 12 %"], [find], lambda find, name: texts.get(name, ""))
    assert "a &lt; b" in shown and "expected &lt;0&gt;" in shown and "Init i0 # &lt;&amp;&gt;" in shown
    assert 'href="finds/001-x/program.jet"' in shown and "reproducer.c" not in shown
    assert "<td>12%</td>" in shown
    assert "Nothing was found" in page(["target runs", "one 5"], [], lambda find, name: "")


def test_what_no_longer_fails_is_mended_until_it_fails_again():
    with tempfile.TemporaryDirectory() as folder:
        finds = Finds(folder, {"environment": {}, "run options": [], "printers": {}}, 1)
        says = [MODEL]
        finds.run = lambda binary, path, seconds=30: says[0]
        with open(folder + "/input", "wb") as out:
            out.write(b"x")
        find, new = finds.add("t", "", folder + "/input", MODEL)
        assert new and finds.open() == [find]
        assert finds.try_again(lambda target: "", ["t"]) == [] and finds.open() == [find]
        says[0] = "fine"
        assert finds.try_again(lambda target: "", ["other"]) == [] and finds.open() == [find]
        assert finds.try_again(lambda target: "", ["t"]) == [find] and finds.open() == []
        assert Finds(folder, {}, 1).open() == []  # it is remembered
        shown = page(["target runs", "one 5"], [find], lambda find, name: "")
        assert "Mended: it no longer fails" in shown
        find, new = finds.add("t", "", folder + "/input", MODEL)
        assert new and finds.open() == [find] and find["times"] == 2


def test_no_two_finds_have_the_same_number():
    with tempfile.TemporaryDirectory() as folder:
        finds = Finds(folder, {}, 1)
        assert finds.make("leak", "a", "t")["name"].startswith("001-")
        assert finds.make("leak", "b", "t")["name"].startswith("002-")
        finds = Finds(folder, {}, 1)  # resumed: nobody had the time to write into those folders
        assert finds.make("leak", "c", "t")["name"].startswith("003-")


def main():
    failed = 0
    for name, function in sorted(globals().items()):
        if name.startswith("test_"):
            try:
                function()
                print("ok " + name)
            except Exception:
                failed += 1
                print("FAIL " + name)
                traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
