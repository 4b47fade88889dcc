"""A program built from an engine with the planted bug, whatever the configuration around it."""

def _planted_implementation(settings, attributes):
    return {"//command_line_option:copt": settings["//command_line_option:copt"] + ["-DESENT_CANARY=1"]}

_planted = transition(
    implementation = _planted_implementation,
    inputs = ["//command_line_option:copt"],
    outputs = ["//command_line_option:copt"],
)

def _canary_program_implementation(context):
    program = context.actions.declare_file(context.label.name)
    context.actions.symlink(output = program, target_file = context.attr.program[0][DefaultInfo].files_to_run.executable)
    return [DefaultInfo(executable = program, files = depset([program]))]

canary_program = rule(
    implementation = _canary_program_implementation,
    attrs = {
        "program": attr.label(cfg = _planted, mandatory = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
