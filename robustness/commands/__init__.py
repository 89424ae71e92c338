"""The commands, a module a group; each adds its own to the command line."""

from robustness.commands import looking, running, studies

GROUPS = (running, studies, looking)
