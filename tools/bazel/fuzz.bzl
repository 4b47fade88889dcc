"""Fuzz targets, in the shape of rules_fuzzing: one source file gives a regression test and a fuzzing binary."""

load("//tools/bazel:esent.bzl", "WARNINGS")

_ENGINE_SOURCES = {
    "//fuzz:libfuzzer": ["//fuzz/target:libfuzzer_shim.c"],
    "//fuzz:afl": ["//fuzz/target:libfuzzer_shim.c"],
    "//conditions:default": ["//fuzz/target:regression_main.c"],
}

# Our variables lie together, and our malloc comes to the targets' heap: fuzz/target/world.h.
WORLD_LINKOPTS = [
    "-Wl,-T,$(location //fuzz/target:world.lds)",
    "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free",
]

_ENGINE_LINKOPTS = {
    "//fuzz:libfuzzer": ["-fsanitize=fuzzer"] + WORLD_LINKOPTS,
    "//fuzz:afl": ["/usr/lib/afl/libAFLDriver.a"],
    "//conditions:default": [],
}

def fuzz_target(name, corpus, seeds = []):
    """Declares `name` (regression test over the corpus) and `name`_bin (for the engine chosen by --define=engine).

    Args:
      name: the target; its source is `name`.c, which defines `fuzz_target`.
      corpus: labels of programs that the test runs.
      seeds: folders of the workspace that hold them.
    """
    native.cc_test(
        name = name,
        srcs = [
            name + ".c",
            "//fuzz/target:regression_main.c",
        ],
        args = seeds,
        copts = WARNINGS,
        data = corpus,
        linkstatic = True,
        tags = ["fuzz-test"],
        timeout = "long",
        visibility = ["//tests:__pkg__"],
        deps = [
            ":harness",
            "//fuzz/target",
        ],
    )
    native.cc_binary(
        name = name + "_bin",
        srcs = [name + ".c"] + select(_ENGINE_SOURCES),
        copts = WARNINGS,
        linkopts = select(_ENGINE_LINKOPTS),
        testonly = True,
        visibility = ["//visibility:public"],
        deps = [
            ":harness",
            "//fuzz/target",
            "//fuzz/target:world.lds",
        ],
    )
