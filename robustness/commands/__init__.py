"""The commands, a module a group; each adds its own to the command line."""

from robustness.commands import checking, evaluation, jobs, publishing, running, serving, storing, studies

GROUPS = (running, jobs, studies, storing, checking, evaluation, publishing, serving)
