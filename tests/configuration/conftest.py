"""Shared by the tests of the configuration: a file that uses every key."""

from __future__ import annotations

import pytest

EVERYTHING = """\
[workspace]
captures = "s3://bucket/captures"
database = "postgresql://db.internal/driftline"

[models.churn]
owner = "growth"
description = "Who leaves within a month"
risk_rating = "high"
tags = { team = "growth" }

[[models.churn.versions]]
version = "2"

[[models.churn.versions]]
version = "3"
artifact = "models/churn-3.bin"
digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
created = 2026-11-01T09:00:00+01:00
description = "with the new tariffs"
tags = { "trained by" = "nightly" }

[models.churn.versions.trained]
data = ["train.csv", "s3://bucket/more/*.parquet"]
job = "train-churn-42"
code = "https://git.example.com/churn/commit/1f2e3d"
image = "registry.example.com/churn:3"
parameters = { max_depth = 5, eta = 0.2, booster = "gbtree", gpu = false }
metrics = { auc = 0.91, n_trees = 300 }

[endpoints.churn-prod]
captures = "elsewhere/captures"
description = "The website asks this one"
tags = { stage = "prod" }

[[endpoints.churn-prod.variants]]
name = "blue"
model = "churn"
version = "2"
weight = 9

[[endpoints.churn-prod.variants]]
name = "green"
model = "churn"
version = "3"

[endpoints.churn-nightly]
kind = "batch"
model = "churn"
version = "3"

[baselines.churn]
kind = "data-quality"
data = "train.csv"
model = "churn"
by = "State"
preprocessor = "rows.py"
format = "csv"
header = true
unique = true

[baselines.old]
folder = "from-sagemaker/"

[baselines.like-sagemaker]
data = ["a.csv", "b.csv"]
compat = "sagemaker"

[monitors.churn-quality]
endpoint = "churn-prod"
baseline = "churn"
kind = "data-quality"
schedule = "30 6 * * 1-5"
timezone = "Europe/Rome"
start_offset = "-PT25H"
end_offset = "-1h"
delay = "PT30M"
jitter = "2m"
catch_up = "latest"
variant = "green"
inputs = "labelled"
by = "State"
preprocessor = "rows.py"
enabled = false
emit_metrics = false
revise = true
revise_for = "P14D"
max_runtime = "30m"
alert_after_failures = 2
alert_on_no_data = 4
quarantine_after = 20
description = "Before people come to work"
tags = { team = "growth" }
alpha = 0.001

[monitors.churn-quality.checks.ks]
bound = 0.15

[monitors.churn-quality.columns."Day.Mins".checks.ks]
bound = 0.3

[[monitors.churn-quality.alerts]]
name = "soon"

[[monitors.churn-quality.alerts]]
name = "sure"
datapoints_to_alert = 2
evaluation_period = 3
count_failed_runs = true
min_severity = "critical"
keep_firing = 2
dashboard_indicator = false

[monitors.nightly]
endpoint = "churn-nightly"
baseline = "like-sagemaker"
compat = "sagemaker"
schedule = "cron(0 5 ? * * *)"
revise = false

[monitors.nightly.alert]
datapoints_to_alert = 2
evaluation_period = 5

[targets.ops]
kind = "webhook"
url = "https://hooks.example.com/driftline"
secret_env = "OPS_SECRET"
events = ["alert.*", "execution.failed"]
severity = "critical"
models = ["churn"]
endpoints = ["churn-*", "churn-prod"]
allow_private = true
enabled = false

[targets.pager]
kind = "apprise"
url_file = "pager-address"

[targets.alertmanager]
kind = "alertmanager"
secret_env = "ALERTMANAGER_TOKEN"
url = "http://alertmanager.internal:9093"
allow_http = true

[targets.journal]
kind = "log"

[targets.signed]
kind = "webhook"
url_env = "HOOK"
secret_file = "/run/secrets/hook"

[scheduler]
poll = "PT10S"
lease = "2m"
workers = 4
stale_after = 3

[scheduler.heartbeat]
url_env = "HEARTBEAT"
every = "1m"
"""


@pytest.fixture(scope="session")
def everything() -> str:
    """A file that uses every key of every section."""
    return EVERYTHING
