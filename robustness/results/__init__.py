"""The results of a study: Parquet files that workers write and everybody reads."""

from robustness.results.causes import ResultsWarning, StorageError, Unreachable
from robustness.results.compaction import Compaction, compact
from robustness.results.following import Following
from robustness.results.load import Results, list_studies, load
from robustness.results.patience import patiently
from robustness.results.pulling import Pulled, pull
from robustness.results.schema import SCHEMA_VERSION, SchemaError
from robustness.results.storage import child
from robustness.results.store import Store
from robustness.results.tables import finished

__all__ = [
    "SCHEMA_VERSION",
    "Compaction",
    "Following",
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
