"""Macros of the tree: layers of the engine, unit tests, warnings."""

WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-Werror",
]

# From the lowest to the highest. A layer sees the ones before it and never the ones behind it.
LAYERS = [
    "os",
    "page",
    "check",
    "log",
    "cache",
    "btree",
    "version",
    "recovery",
    "catalog",
    "table",
    "backup",
    "instance",
    "api",
]

def esent_layer(name, linkopts = [], extra_hdrs = []):
    """One layer of the engine: every source of the package, using the layers below and visible to those above.

    Args:
      name: the layer, one of LAYERS, and the name of the package's folder.
      linkopts: system libraries that the layer needs.
      extra_hdrs: headers outside the package's folder.
    """
    place = LAYERS.index(name)
    native.cc_library(
        name = name,
        srcs = native.glob(["**/*.c"], allow_empty = True),
        hdrs = native.glob(["**/*.h"], allow_empty = True) + extra_hdrs,
        copts = WARNINGS,
        linkopts = linkopts,
        linkstatic = True,
        # The exported calls are referenced by nobody inside the shared library.
        alwayslink = name in ["os", "check", "api"],
        deps = ["//include"] + ["//src/" + layer for layer in LAYERS[:place]],
        visibility = ["//src/%s:__pkg__" % layer for layer in LAYERS[place + 1:]] + [
            "//:__pkg__",
            "//tests:__pkg__",
        ],
    )

def esent_library(name, deps = [], **attributes):
    """A library outside the engine (harness, tools), under the same warnings.

    Args:
      name: name of the target.
      deps: libraries it uses.
      **attributes: as of cc_library; srcs and hdrs default to every source and header of the package.
    """
    attributes.setdefault("srcs", native.glob(["*.c"], allow_empty = True))
    attributes.setdefault("hdrs", native.glob(["*.h"], allow_empty = True))
    native.cc_library(
        name = name,
        copts = WARNINGS,
        linkstatic = True,
        deps = ["//include"] + deps,
        **attributes
    )

def esent_unit_tests(sources, deps, data = [], tags = {}, timeouts = {}):
    """One cmocka test a source file: tests/btree_split_test.c becomes //tests:btree_split_test.

    Args:
      sources: the files, each with its own main.
      deps: what every test is linked with.
      data: files every test may read.
      tags: tags by test name.
      timeouts: Bazel's timeout by test name, where "moderate" does not fit.
    """
    for source in sources:
        name = source[:-len(".c")].replace("/", "_")
        native.cc_test(
            name = name,
            srcs = [source],
            copts = WARNINGS,
            data = data,
            linkopts = ["-lcmocka"],
            linkstatic = True,
            tags = tags.get(name, []),
            timeout = timeouts.get(name, "moderate"),
            deps = deps,
        )
