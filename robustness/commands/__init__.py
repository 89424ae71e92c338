"""The commands, a module a group; each adds its own to the command line."""

from robustness.commands import evaluation, jobs, publishing, running, serving, storing, studies

GROUPS = (running, jobs, studies, storing, evaluation, publishing, serving)
