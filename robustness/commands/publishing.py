"""The command that makes published results of a stored study: Parquet, study file and README."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from robustness.commands.stored import stored_root
from robustness.console import FAILED, err, out, takes_stored
from robustness.published.shipped import FOLDER
from robustness.results import Store, child

if TYPE_CHECKING:
    import argparse

    from robustness.console import Add


def add_commands(add: Add) -> None:
    """Add publish."""
    command = add("publish", publish, "write a stored study to the folder of results that come with the code")
    takes_stored(command)
    command.add_argument(
        "--to", type=Path, default=FOLDER, metavar="DIR", help=f"the folder of published studies (default: {FOLDER})"
    )
    command.add_argument("--partial", action="store_true", help="also a study of which runs have no result")


def publish(options: argparse.Namespace) -> int:
    """Write a study's published results and their README; 1 where it cannot be published as it is."""
    from analysis.contents.gather import gather_all
    from analysis.report.readme import kept, readme_text
    from robustness.published.publish import PublishError
    from robustness.published.publish import publish as write

    source = Store(stored_root(options.study, options.results), read_only=True)
    target = Store(child(options.to, source.name))
    try:
        done = write(source, target, partial=options.partial)
    except PublishError as error:
        err.print(f"error: {error}")
        return FAILED
    readme = target.folder.read("README.md")
    words = readme_text(gather_all(target), done.lacking, kept(readme.decode() if readme else ""))
    target.folder.write("README.md", words.encode())
    lacking = f", {done.lacking} have no result" if done.lacking else ""
    out.print(f"{source.name}: {done.runs} runs published{lacking}, {done.size / 1e6:.1f} MB in {target.root}")
    out.print(f"Say what it shows: {Path(target.root) / 'README.md'}")
    return 0
