"""The commands, a module a group; each adds its own to the command line."""

from robustness.commands import jobs, looking, publishing, running, serving, storing, studies

GROUPS = (running, jobs, studies, storing, looking, publishing, serving)
