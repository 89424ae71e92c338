"""The results of a study: Parquet files that workers write and everybody reads."""

from robustness.results.load import Results, list_studies, load
from robustness.results.schema import SCHEMA_VERSION, SchemaError
from robustness.results.storage import ResultsWarning, StorageError, child
from robustness.results.store import Store

__all__ = [
    "SCHEMA_VERSION",
    "Results",
    "ResultsWarning",
    "SchemaError",
    "StorageError",
    "Store",
    "child",
    "list_studies",
    "load",
]
