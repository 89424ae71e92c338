"""The results of a study: Parquet files that workers write and everybody reads."""

from robustness.results.compaction import Compaction, compact
from robustness.results.files.errors import ResultsWarning, StorageError, Unreachable
from robustness.results.files.place import Place, child
from robustness.results.files.retrying import patiently
from robustness.results.following import Following
from robustness.results.loading import Results, list_studies, load
from robustness.results.pulling import Pulled, pull
from robustness.results.store import Store
from robustness.results.tables.arrow import finished
from robustness.results.tables.schema import SCHEMA_VERSION, SchemaError

__all__ = [
    "SCHEMA_VERSION",
    "Compaction",
    "Following",
    "Place",
    "Pulled",
    "Results",
    "ResultsWarning",
    "SchemaError",
    "StorageError",
    "Store",
    "Unreachable",
    "child",
    "compact",
    "finished",
    "list_studies",
    "load",
    "patiently",
    "pull",
]
