"""The results of a study: Parquet files that workers write and everybody reads."""

from robustness.results.load import Results, list_studies, load
from robustness.results.schema import SCHEMA_VERSION, SchemaError
from robustness.results.storage import ResultsWarning, StorageError, child
from robustness.results.store import Store
from robustness.results.tables import finished

__all__ = [
    "SCHEMA_VERSION",
    "Results",
    "ResultsWarning",
    "SchemaError",
    "StorageError",
    "Store",
    "child",
    "finished",
    "list_studies",
    "load",
]
