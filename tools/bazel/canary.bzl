"""A program built from an engine with the planted bug, whatever the configuration around it."""

load(":configured.bzl", "configured_program")

def _planted_implementation(settings, attributes):
    return {"//command_line_option:copt": settings["//command_line_option:copt"] + ["-DESENT_CANARY=1"]}

_planted = transition(
    implementation = _planted_implementation,
    inputs = ["//command_line_option:copt"],
    outputs = ["//command_line_option:copt"],
)

canary_program = configured_program(_planted)
