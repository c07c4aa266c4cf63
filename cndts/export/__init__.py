"""Fitted forecasters as programs of torch, to be run without cndts."""

from cndts.export._exportable_forecast import ExportableForecast
from cndts.export._exporting import batch_tensors, export_forecaster

__all__ = ["ExportableForecast", "batch_tensors", "export_forecaster"]
