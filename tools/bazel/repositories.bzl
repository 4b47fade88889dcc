"""Local stand-ins for the repositories that Bazel 4 fetches by itself when a test is built.

Each is written by a repository rule: forwarding to the native rules is all that Bazel's internal packages need.
"""

_RULES_CC = """
def cc_library(**attributes):
    native.cc_library(**attributes)

def cc_binary(**attributes):
    native.cc_binary(**attributes)

def cc_test(**attributes):
    native.cc_test(**attributes)

def cc_import(**attributes):
    native.cc_import(**attributes)

def cc_toolchain(**attributes):
    native.cc_toolchain(**attributes)

def cc_toolchain_suite(**attributes):
    native.cc_toolchain_suite(**attributes)

def cc_proto_library(**attributes):
    native.cc_proto_library(**attributes)
"""

_RULES_JAVA = """
def java_library(**attributes):
    native.java_library(**attributes)

def java_binary(**attributes):
    native.java_binary(**attributes)

def java_test(**attributes):
    native.java_test(**attributes)

def java_import(**attributes):
    native.java_import(**attributes)

def java_toolchain(**attributes):
    native.java_toolchain(**attributes)

def java_runtime(**attributes):
    native.java_runtime(**attributes)

def java_package_configuration(**attributes):
    native.java_package_configuration(**attributes)

def java_proto_library(**attributes):
    native.java_proto_library(**attributes)

def java_plugin(**attributes):
    native.java_plugin(**attributes)
"""

_COVERAGE_TOOLS = """
sh_binary(
    name = "lcov_merger",
    srcs = ["merge.sh"],
    visibility = ["//visibility:public"],
)

sh_binary(
    name = "coverage_report_generator",
    srcs = ["report.sh"],
    visibility = ["//visibility:public"],
)
"""

# Coverage is measured by ./check --coverage with LLVM's own tools; these two only keep Bazel's test runner content.
_NOTHING_TO_DO = "#!/bin/sh\nexit 0\n"

def _forwarding_implementation(context):
    context.file("WORKSPACE", "workspace(name = \"%s\")\n" % context.name)
    folder = context.attr.folder
    context.file(folder + "/BUILD", "exports_files([\"defs.bzl\"])\n")
    context.file(folder + "/defs.bzl", context.attr.definitions)

_forwarding_repository = repository_rule(
    implementation = _forwarding_implementation,
    attrs = {
        "definitions": attr.string(mandatory = True),
        "folder": attr.string(mandatory = True),
    },
)

def _coverage_tools_implementation(context):
    context.file("WORKSPACE", "workspace(name = \"%s\")\n" % context.name)
    context.file("BUILD", _COVERAGE_TOOLS)
    context.file("merge.sh", _NOTHING_TO_DO, executable = True)
    context.file("report.sh", _NOTHING_TO_DO, executable = True)

_coverage_tools_repository = repository_rule(implementation = _coverage_tools_implementation)

def offline_repositories():
    _forwarding_repository(name = "rules_cc", folder = "cc", definitions = _RULES_CC)
    _forwarding_repository(name = "rules_java", folder = "java", definitions = _RULES_JAVA)
    _coverage_tools_repository(name = "remote_coverage_tools")
