"""What of a study travels to the cluster: its file and its own modules, whole, as one archive that Ray unpacks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from robustness.worker.own_modules import archive, module_files, own_modules

if TYPE_CHECKING:
    from robustness.study import Study


@dataclass(frozen=True)
class Package:
    """A study on its way to a cluster.

    Attributes:
        file: the study file's name in it. A study without a `name` is called after its file, so the file after it.
        archive: a zip archive with the study file and, beside it, the study's own modules. Made here and not by Ray,
            which leaves out what a .gitignore names.
        version: a hash of all files: two studies of one version train the same.
    """

    file: str
    archive: bytes
    version: str


def pack(study: Study) -> Package:
    """Return a study's package.

    Raises:
        robustness.worker.own_modules.ShippingError: its own modules are too large.
    """
    file = f"{study.name}.yaml"
    modules = {name: path.read_bytes() for name, path in module_files(own_modules(study)).items()}
    files = {file: study.text.encode()} | modules
    digest = hashlib.sha256()
    for name, data in sorted(files.items()):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return Package(file, archive(files), digest.hexdigest()[:16])
