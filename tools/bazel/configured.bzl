"""Rules for a program that is built in a configuration of its own, whatever the configuration around it."""

def _implementation(context):
    program = context.actions.declare_file(context.label.name)
    context.actions.symlink(output = program, target_file = context.attr.program[0][DefaultInfo].files_to_run.executable)
    return [DefaultInfo(executable = program, files = depset([program]))]

def configured_program(configuration):
    """A rule whose `program` is built with the transition `configuration`."""
    return rule(
        implementation = _implementation,
        attrs = {
            "program": attr.label(cfg = configuration, mandatory = True),
            "_allowlist_function_transition": attr.label(
                default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
            ),
        },
        executable = True,
    )
