"""Telemetry: what the registry knows, as metrics that Prometheus reads and Grafana shows."""

from __future__ import annotations

from driftline.monitor.telemetry.cardinality import Cardinality
from driftline.monitor.telemetry.exposition import OPENMETRICS, PROMETHEUS, metrics_text
from driftline.monitor.telemetry.server import MetricsServer, serve_metrics

__all__ = ["OPENMETRICS", "PROMETHEUS", "Cardinality", "MetricsServer", "metrics_text", "serve_metrics"]
