"""The study service: pages over a results folder, reading only, for a browser on this machine."""

from analysis.service.app import make
from analysis.service.server import LOOPBACK, ServiceError, serve

__all__ = ["LOOPBACK", "ServiceError", "make", "serve"]
