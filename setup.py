"""What goes into a wheel; all the rest is in pyproject.toml.

The folder published/ lies inside of robustness there, so that an installation has three names at its top and no fourth.
"""

from setuptools import find_namespace_packages, setup

OURS = ("robustness", "analysis", "search_spaces")
DATA = "robustness.published.data"

setup(
    packages=[*find_namespace_packages(include=[*OURS, *(f"{name}.*" for name in OURS)]), DATA],
    package_dir={DATA: "published"},
)
