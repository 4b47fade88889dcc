"""A program in which the compiler tells each access to memory (fuzz/sweep/accesses.c), whatever the configuration around it."""

_COPTS = [
    "-DESENT_TRACE=1",
    "-fsanitize=thread",
    # Not to be replaced by code that the sanitizer does not see.
    "-fno-builtin-memcmp",
    "-fno-builtin-bcmp",
    "-fno-builtin-strlen",
    "-fno-builtin-strcmp",
]

# The sanitizer's own library is not linked: fuzz/sweep/accesses.c stands in for it.
_LINKOPTS = ["-Wl,--wrap=" + name for name in ["memcpy", "memmove", "memset", "memcmp", "strlen", "strcmp"]]

def _traced_implementation(settings, attributes):
    return {
        "//command_line_option:copt": settings["//command_line_option:copt"] + _COPTS,
        "//command_line_option:linkopt": settings["//command_line_option:linkopt"] + _LINKOPTS,
    }

_traced = transition(
    implementation = _traced_implementation,
    inputs = ["//command_line_option:copt", "//command_line_option:linkopt"],
    outputs = ["//command_line_option:copt", "//command_line_option:linkopt"],
)

def _traced_program_implementation(context):
    program = context.actions.declare_file(context.label.name)
    context.actions.symlink(output = program, target_file = context.attr.program[0][DefaultInfo].files_to_run.executable)
    return [DefaultInfo(executable = program, files = depset([program]))]

traced_program = rule(
    implementation = _traced_program_implementation,
    attrs = {
        "program": attr.label(cfg = _traced, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
