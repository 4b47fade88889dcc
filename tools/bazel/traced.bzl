"""A program in which the compiler tells each access to memory (fuzz/sweep/accesses.c), whatever the configuration around it."""

load(":configured.bzl", "configured_program")

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

traced_program = configured_program(_traced)
