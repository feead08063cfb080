"""What is refused: every error names the file, the line, the key and what to do."""

from __future__ import annotations

import pytest

from driftline.configuration import ConfigurationError, read_configuration
from driftline.errors import DocumentError, InputError

MODEL = '[[models.churn.versions]]\nversion = "3"\n'
ENDPOINT = MODEL + '[endpoints.prod]\nmodel = "churn"\n'
BASELINE = ENDPOINT + '[baselines.churn]\ndata = "train.csv"\n'
MONITOR = BASELINE + '[monitors.m]\nendpoint = "prod"\nbaseline = "churn"\n'
HOOK = '[targets.t]\nkind = "webhook"\nurl_env = "HOOK"\nsecret_file = "key"\n'
DIGEST = "0123456789abcdef" * 4

# Text; the key at fault; words of the message; words of the fix. A line ending in "#!" is the one to be named.
CASES = {
    # the whole
    "unknown section": ("[monitor.x]#!", "monitor", "unknown key 'monitor'", "did you mean 'monitors'"),
    "unknown section, nothing near": ("[zzz]#!", "zzz", "unknown key", "use one of workspace, models"),
    "section is no table": ("models = 3#!", "models", "expected a table, found a number", "[models]"),
    "section is an array": ("[[targets]]#!\nkind = 'log'", "targets", "expected a table, found an array", "[targets]"),
    "declaration is no table": ("[models]\nchurn = 'x'#!", "models.churn", "found text", "[models.churn]"),
    "nul in a text": (f'{MODEL}artifact = "a\\u0000b"#!', "models.churn.versions[0].artifact", "NUL", "correct it"),
    "nul in a key": ('[models.churn.tags]\n"a\\u0000" = "b"#!', 'models.churn.tags."a\\x00"', "NUL", "correct it"),
    "nan": ("[scheduler]\nworkers = nan#!", "scheduler.workers", "finite number, found nan", "correct it"),
    "infinity": ("[scheduler]\nworkers = -inf#!", "scheduler.workers", "finite number, found -inf", "correct it"),
    "huge integer": (f"[scheduler]\nworkers = {'9' * 400}#!", "scheduler.workers", "64 bits", "correct it"),
    # names
    "name with a slash": ('[models."a/b"]#!', 'models."a/b"', "is no name for a model", "letters, digits"),
    "name that climbs": ('[endpoints.".."]#!', 'endpoints.".."', "is no name for an endpoint", "letters, digits"),
    "empty name": ('[targets.""]#!', 'targets.""', "is no name for a target", "letters, digits"),
    "long name": (f"[baselines.{'a' * 64}]#!", f"baselines.{'a' * 64}", "is no name for a baseline", "up to 63"),
    "name with a space": ('[monitors."a b"]#!', 'monitors."a b"', "is no name for a monitor", "letters, digits"),
    "taken name": ("[endpoints.ground_truth]#!", "endpoints.ground_truth", "is no name", "letters, digits"),
    "names alike": ("[models.churn]\n[models.Churn]#!", "models.Churn", "differs from 'churn' in case only", "rename"),
    # workspace
    "workspace key": ("[workspace]\ncapture = 'x'#!", "workspace.capture", "unknown key", "'captures'"),
    "captures climb": ("[workspace]\ncaptures = 'a/../../b'#!", "workspace.captures", "leads out of", "below"),
    "captures empty": ("[workspace]\ncaptures = ' '#!", "workspace.captures", "is empty", "leave the key out"),
    "database word": ("[workspace]\ndatabase = 'mysql://h/d'#!", "workspace.database", "PostgreSQL", "postgresql://"),
    "database twice": (
        "[workspace]\ndatabase = 'sqlite'\ndatabase_env = 'DB'#!",
        "workspace.database_env",
        "says again",
        "keep one",
    ),
    "database variable": (
        "[workspace]\ndatabase_env = 'postgresql://u:hunter2@h/d'#!",
        "workspace.database_env",
        "name of an environment variable",
        'database_env = "MY_DATABASE"',
    ),
    "database password": (
        "[workspace]\ndatabase = 'postgresql://u:hunter2@h/d'#!",
        "workspace.database",
        "holds a password",
        "database_env",
    ),
    # models
    "risk": ("[models.churn]\nrisk_rating = 'hihg'#!", "models.churn.risk_rating", "'hihg'", "did you mean 'high'"),
    "risk as number": ("[models.churn]\nrisk_rating = 1#!", "models.churn.risk_rating", "expected text", "low, medium"),
    "model key": ("[models.churn]\nowners = 'x'#!", "models.churn.owners", "unknown key", "'owner'"),
    "long owner": (f"[models.churn]\nowner = '{'x' * 201}'#!", "models.churn.owner", "201 characters", "shorten"),
    "tags as text": ("[models.churn]\ntags = 'x'#!", "models.churn.tags", "expected a table", "[models.churn.tags]"),
    "tag as number": ("[models.churn.tags]\na = 1#!", "models.churn.tags.a", "expected text", "quotes"),
    "long tag": (f"[models.churn.tags]\na = '{'x' * 257}'#!", "models.churn.tags.a", "up to 256", "shorten"),
    "many tags": (
        "[models.churn.tags]#!\n" + "".join(f"a{i} = 'x'\n" for i in range(51)),
        "models.churn.tags",
        "51 tags, more than the limit of 50",
        "remove",
    ),
    "version as table": (
        "[models.churn.versions]#!\nversion = '3'",
        "models.churn.versions",
        "array of tables, found a table",
        "[[models.churn.versions]]",
    ),
    "version left out": ("[[models.churn.versions]]#!", "models.churn.versions[0].version", "missing", "version = "),
    "version as number": (
        "[[models.churn.versions]]\nversion = 3#!",
        "models.churn.versions[0].version",
        "expected text, found a number",
        "in quotes",
    ),
    "version twice": (
        f"{MODEL}[[models.churn.versions]]\nversion = '3'#!",
        "models.churn.versions[1].version",
        "the name '3' stands there twice",
        "rename",
    ),
    "version element": (
        "[models.churn]\nversions = ['3']#!",
        "models.churn.versions[0]",
        "expected a table, found text",
        "{ … }",
    ),
    "digest": (
        f"{MODEL}artifact = 'a'\ndigest = 'md5:abc'#!",
        "models.churn.versions[0].digest",
        "64 hexadecimal digits",
        "sha256sum",
    ),
    "digest of nothing": (
        f"[[models.churn.versions]]#!\nversion = '3'\ndigest = 'sha256:{DIGEST}'",
        "models.churn.versions[0].artifact",
        "missing",
        "leave the digest out",
    ),
    "artifact with credentials": (
        f"{MODEL}artifact = 's3://key:hunter2@bucket/a'#!",
        "models.churn.versions[0].artifact",
        "holds credentials",
        "environment",
    ),
    "artifact is no URL": (
        f"{MODEL}artifact = 's3://[::1/a'#!",
        "models.churn.versions[0].artifact",
        "is no URL",
        "correct",
    ),
    "time without zone": (
        f"{MODEL}created = 2026-11-01T08:00:00#!",
        "models.churn.versions[0].created",
        "no zone",
        "2026-11-23T07:00:00Z",
    ),
    "time in words": (
        f"{MODEL}created = 'yesterday'#!",
        "models.churn.versions[0].created",
        "is no time",
        "2026-11-23T07:00:00Z",
    ),
    "time of day": (f"{MODEL}created = 08:00:00#!", "models.churn.versions[0].created", "expected a time", "2026-11-23"),
    "time out of range": (
        f"{MODEL}created = 0001-01-01T00:00:00+23:00#!",
        "models.churn.versions[0].created",
        "is no time",
        "2026-11-23",
    ),
    "metric": (
        f"{MODEL}trained.metrics = {{ auc = 'high' }}#!",
        "models.churn.versions[0].trained.metrics.auc",
        "expected a number",
        "without quotes",
    ),
    "parameter": (
        f"{MODEL}trained.parameters = {{ layers = [1, 2] }}#!",
        "models.churn.versions[0].trained.parameters.layers",
        "expected text, a number or a boolean",
        "as text",
    ),
    "data twice": (
        f"{MODEL}trained.data = ['a.csv', 'a.csv']#!",
        "models.churn.versions[0].trained.data[1]",
        "occurs twice",
        "remove one",
    ),
    # endpoints
    "endpoint of nothing": ("[endpoints.prod]#!", "endpoints.prod.model", "missing", "model ="),
    "endpoint kind": (f"{ENDPOINT}kind = 'job'#!", "endpoints.prod.kind", "unknown value", "endpoint, batch"),
    "endpoint model": (
        f"{MODEL}[endpoints.prod]\nmodel = 'chrun'#!",
        "endpoints.prod.model",
        "no model called 'chrun'",
        "did you mean 'churn'",
    ),
    "endpoint model that is nowhere": (
        "[endpoints.prod]\nmodel = 'churn'#!",
        "endpoints.prod.model",
        "no model called 'churn'",
        "declare it under [models.churn]",
    ),
    "endpoint version": (
        f"{ENDPOINT}version = '4'#!",
        "endpoints.prod.version",
        "has no version '4'",
        "declare it with [[models.churn.versions]]",
    ),
    "endpoint version of several": (
        f"{MODEL}[[models.churn.versions]]\nversion = '4'\n[endpoints.prod]#!\nmodel = 'churn'",
        "endpoints.prod.version",
        "has 2 versions: 3, 4",
        'version = "4"',
    ),
    "model without versions": (
        "[models.churn]\n[endpoints.prod]\nmodel = 'churn'#!",
        "endpoints.prod.model",
        "has no versions",
        "[[models.churn.versions]]",
    ),
    "variants and model": (
        f"{ENDPOINT.rstrip()}#!\nvariants = [ {{ name = 'a', model = 'churn' }} ]",
        "endpoints.prod.model",
        "stands beside variants",
        "remove model",
    ),
    "no variants": (f"{MODEL}[endpoints.prod]\nvariants = []#!", "endpoints.prod.variants", "is empty", "model ="),
    "variant without name": (
        f"{MODEL}[[endpoints.prod.variants]]#!\nmodel = 'churn'",
        "endpoints.prod.variants[0].name",
        "missing",
        "name =",
    ),
    "variants alike": (
        f"{MODEL}[endpoints.prod]\nvariants = [\n{{ name = 'a', model = 'churn'}},\n{{ name = 'A', model = 'churn' }}#!\n]",
        "endpoints.prod.variants[1].name",
        "differs from 'a' in case only",
        "rename",
    ),
    "variant twice": (
        f"{MODEL}[endpoints.prod]\nvariants = [\n{{ name = 'a', model = 'churn'}},\n{{ name = 'a', model = 'churn' }}#!\n]",
        "endpoints.prod.variants[1].name",
        "stands there twice",
        "rename",
    ),
    "weight": (
        f"{MODEL}[[endpoints.prod.variants]]\nname = 'a'\nmodel = 'churn'\nweight = -1#!",
        "endpoints.prod.variants[0].weight",
        "from 0 to 1e+09, found -1",
        "between",
    ),
    "weight as text": (
        f"{MODEL}[[endpoints.prod.variants]]\nname = 'a'\nmodel = 'churn'\nweight = '50%'#!",
        "endpoints.prod.variants[0].weight",
        "expected a number, found text",
        "without quotes",
    ),
    "no traffic": (
        f"{MODEL}[[endpoints.prod.variants]]#!\nname = 'a'\nmodel = 'churn'\nweight = 0",
        "endpoints.prod.variants",
        "all weights are 0",
        "traffic",
    ),
    "batch with variants": (
        f"{MODEL}[endpoints.prod]\nkind = 'batch'\nvariants = [ {{ name = 'a', model = 'churn' }} ]#!",
        "endpoints.prod.variants",
        "a batch job has no variants",
        "model",
    ),
    # baselines
    "baseline of nothing": ("[baselines.b]#!", "baselines.b", "neither data nor a folder", "data ="),
    "baseline of two": (
        "[baselines.b]\nfolder = 'f/'\ndata = 'a.csv'#!",
        "baselines.b.data",
        "stands beside folder",
        "remove data",
    ),
    "baseline data": ("[baselines.b]\ndata = 3#!", "baselines.b.data", "expected an array of texts", '["…", "…"]'),
    "baseline data empty": ("[baselines.b]\ndata = []#!", "baselines.b.data", "is empty", "leave the key out"),
    "baseline data outside": ("[baselines.b]\ndata = '../a.csv'#!", "baselines.b.data", "leads out of", "move it"),
    "baseline data at home": ("[baselines.b]\ndata = '~/a.csv'#!", "baselines.b.data", "begins with ~", "whole path"),
    "baseline data unseen": (
        "[baselines.b]\ndata = 'a\u202ecsv'#!",
        "baselines.b.data",
        "cannot be seen",
        "remove",
    ),
    "baseline kind": (
        "[baselines.b]\ndata = 'a.csv'\nkind = 'data_quality'#!",
        "baselines.b.kind",
        "unknown value",
        "did you mean 'data-quality'",
    ),
    "baseline without settings": (
        "[baselines.b]#!\ndata = 'a.csv'\nkind = 'bias'",
        "baselines.b.settings",
        "missing",
        'config = "bias.toml"',
    ),
    "baseline with settings twice": (
        "[baselines.b]\ndata = 'a.csv'\nkind = 'bias'\nconfig = 'b.toml'#!\n"
        "settings = {label = 'y', positive = ['1'], facets = [{column = 'sex', values = ['F']}]}",
        "baselines.b.config",
        "stands beside settings",
        "remove one",
    ),
    "baseline with settings of no kind": (
        "[baselines.b]\ndata = 'a.csv'\nsettings = {label = 'y'}#!",
        "baselines.b.settings",
        "no meaning for the kind data-quality",
        "say which kind",
    ),
    "baseline with segments of another kind": (
        "[baselines.b]\nfolder = 'a'\nkind = 'bias'\nby = 'sex'#!",
        "baselines.b.by",
        "stands beside folder",
        "remove by",
    ),
    "baseline with settings that cannot be": (
        "[baselines.b]\ndata = 'a.csv'\nkind = 'model-quality'\nsettings = {lable = 'y'}#!",
        "baselines.b.settings",
        "lable",
        "label",
    ),
    "baseline mode": (
        "[baselines.b]\ndata = 'a.csv'\ncompat = 'aws'#!",
        "baselines.b.compat",
        "unknown value 'aws'",
        "sagemaker",
    ),
    "baseline segments in compat": (
        "[baselines.b]\ndata = 'a.csv'\ncompat = 'sagemaker'\nby = 'x'#!",
        "baselines.b.by",
        "do not exist in compat mode",
        "leave out",
    ),
    "baseline header": (
        "[baselines.b]\ndata = 'a.csv'\nheader = 'yes'#!",
        "baselines.b.header",
        "true or false, found text",
        "without quotes",
    ),
    "baseline model": (
        f"{MODEL}[baselines.b]\ndata = 'a.csv'\nmodel = 'chur'#!",
        "baselines.b.model",
        "no model called",
        "did you mean 'churn'",
    ),
    "SageMaker's word for data": (
        "[baselines.b]\ndata = 'a.csv'\nbaseline_dataset = 'a.csv'#!",
        "baselines.b.baseline_dataset",
        "unknown key",
        "did you mean 'data'",
    ),
    # monitors
    "jitter": (f"{MONITOR}jitter = 'PT2H'#!", "monitors.m.jitter", "from PT0S to PT1H, found PT2H", "between"),
    "monitor of nothing": (
        "[baselines.b]\ndata = 'a.csv'\n[monitors.m]#!\nbaseline = 'b'",
        "monitors.m.endpoint",
        "missing",
        "endpoint =",
    ),
    "monitor endpoint": (
        f"{BASELINE}[monitors.m]\nendpoint = 'Prod'#!\nbaseline = 'churn'",
        "monitors.m.endpoint",
        "no endpoint called 'Prod'",
        "did you mean 'prod'",
    ),
    "monitor baseline": (
        f"{BASELINE}[monitors.m]\nendpoint = 'prod'\nbaseline = 'xyz'#!",
        "monitors.m.baseline",
        "no baseline called 'xyz'",
        "declare it under [baselines.xyz]",
    ),
    "monitor variant": (
        f"{MONITOR}variant = 'blue'#!",
        "monitors.m.variant",
        "has no variant 'blue'",
        "use one of AllTraffic",
    ),
    "monitor of another kind than its baseline": (
        f"{MONITOR}kind = 'model-quality'#!",
        "monitors.m.kind",
        "is model-quality, but the baseline 'churn' is data-quality",
        'say kind = "data-quality"',
    ),
    "schedule": (f"{MONITOR}schedule = 'hourly'#!", "monitors.m.schedule", "is no schedule", "cron"),
    "schedule in five of six": (f"{MONITOR}schedule = 'cron(0 * * * *)'#!", "monitors.m.schedule", "six fields", "cron("),
    "schedule that never fires": (f"{MONITOR}schedule = '0 0 30 2 *'#!", "monitors.m.schedule", "never", ""),
    "schedule with seconds": (f"{MONITOR}schedule = '* * * * * *'#!", "monitors.m.schedule", "six fields", "seconds"),
    "schedule as number": (f"{MONITOR}schedule = 60#!", "monitors.m.schedule", "expected text", "cron(0 * ? * * *)"),
    "long schedule": (f"{MONITOR}schedule = '{'* ' * 1000}'#!", "monitors.m.schedule", "256 characters", "cron"),
    "time zone": (f"{MONITOR}timezone = 'Europe/Rom'#!", "monitors.m.timezone", "no time zone", "Europe/Rome"),
    "time zone of a path": (f"{MONITOR}timezone = '../etc/passwd'#!", "monitors.m.timezone", "no time zone", "IANA"),
    "time zone of nothing": (
        f"{MONITOR}timezone = 'Europe/Rome'#!",
        "monitors.m.timezone",
        "stands without a schedule",
        'schedule = "0 6 * * *"',
    ),
    "time zone of AWS form": (
        f"{MONITOR}schedule = 'cron(0 * ? * * *)'#!\ntimezone = 'Europe/Rome'",
        "monitors.m.schedule",
        "is in UTC",
        "five fields",
    ),
    "SageMaker's word for schedule": (
        f"{MONITOR}schedule_cron_expression = 'NOW'#!",
        "monitors.m.schedule_cron_expression",
        "unknown key",
        "did you mean 'schedule'",
    ),
    "SageMaker's word for metrics": (
        f"{MONITOR}enable_cloudwatch_metrics = true#!",
        "monitors.m.enable_cloudwatch_metrics",
        "unknown key",
        "did you mean 'emit_metrics'",
    ),
    "offset ahead": (
        f"{MONITOR}start_offset = 'PT1H'#!",
        "monitors.m.start_offset",
        "back in time, found PT1H",
        '"-PT1H"',
    ),
    "offsets the wrong way round": (
        f"{MONITOR}start_offset = '-PT1H'#!\nend_offset = '-PT2H'",
        "monitors.m.start_offset",
        "ends before it begins",
        "further back",
    ),
    "empty window": (f"{MONITOR}start_offset = 'PT0S'#!", "monitors.m.start_offset", "ends before it begins", "back"),
    "end alone": (
        f"{MONITOR.replace('[monitors.m]', '[monitors.m]#!')}end_offset = '-PT1H'",
        "monitors.m.start_offset",
        "missing",
        "end_offset needs it",
    ),
    "now without window": (
        f"{MONITOR.replace('[monitors.m]', '[monitors.m]#!')}schedule = 'NOW'\nstart_offset = '-1h'",
        "monitors.m.end_offset",
        "missing",
        "NOW needs a window",
    ),
    "delay without unit": (f"{MONITOR}delay = 30#!", "monitors.m.delay", "has no unit", '"PT30M" or "30m"'),
    "delay in words": (f"{MONITOR}delay = 'half an hour'#!", "monitors.m.delay", "expected a duration", '"30m"'),
    "delay in months": (f"{MONITOR}delay = 'P1M'#!", "monitors.m.delay", "expected a duration", "no fixed length"),
    "delay below zero": (f"{MONITOR}delay = '-PT1M'#!", "monitors.m.delay", "from PT0S to P366D", "between"),
    "delay as boolean": (f"{MONITOR}delay = true#!", "monitors.m.delay", "expected text, found a boolean", '"30m"'),
    "delay as time": (f"{MONITOR}delay = 00:30:00#!", "monitors.m.delay", "found a date or time", '"30m"'),
    "max_runtime": (f"{MONITOR}max_runtime = 'P8D'#!", "monitors.m.max_runtime", "from PT1S to P7D", "between"),
    "revise_for": (f"{MONITOR}revise = false\nrevise_for = 'P1D'#!", "monitors.m.revise_for", "revise = false", "remove"),
    "catch_up": (f"{MONITOR}catch_up = 'lates'#!", "monitors.m.catch_up", "unknown value", "did you mean 'latest'"),
    "inputs": (f"{MONITOR}inputs = 'labeled'#!", "monitors.m.inputs", "unknown value", "did you mean 'labelled'"),
    "enabled as number": (f"{MONITOR}enabled = 1#!", "monitors.m.enabled", "found a number", "without quotes"),
    "by is empty": (f"{MONITOR}by = ''#!", "monitors.m.by", "is empty", "leave the key out"),
    "by in compat": (f"{MONITOR}compat = 'sagemaker'\nby = 'x'#!", "monitors.m.by", "compat mode", "leave out"),
    "overrides in compat": (
        f"{MONITOR}compat = 'sagemaker'\nalpha = 0.1#!",
        "monitors.m.alpha",
        "constraints.json alone",
        "leave out",
    ),
    "alpha": (f"{MONITOR}alpha = 1.5#!", "monitors.m.alpha", "from 0 to 1", "correct"),
    "check": (f"{MONITOR}[monitors.m.checks.sk]#!\nbound = 1", "monitors.m.checks.sk", "no check called", ""),
    "check setting": (
        f"{MONITOR}[monitors.m.checks.ks]\nbuond = 0.1#!",
        "monitors.m.checks.ks.buond",
        "unknown field",
        "did you mean 'bound'",
    ),
    "check of a column": (
        f"{MONITOR}[monitors.m.columns.'a.b'.checks.ks]\nbound = 3#!",
        'monitors.m.columns."a.b".checks.ks.bound',
        "from 0 to 1, found 3",
        "correct",
    ),
    "checks as text": (f"{MONITOR}checks = 'all'#!", "monitors.m.checks", "expected an object, found text", "correct"),
    # alerts
    "alert key": (
        f"{MONITOR}[monitors.m.alert]\ndata_points_to_alert = 2#!",
        "monitors.m.alert.data_points_to_alert",
        "unknown key",
        "did you mean 'datapoints_to_alert'",
    ),
    "alert that never fires": (
        f"{MONITOR}[monitors.m.alert]\ndatapoints_to_alert = 4#!\nevaluation_period = 3",
        "monitors.m.alert.datapoints_to_alert",
        "4 failures among 3 runs can never happen",
        "lower it",
    ),
    "alert of none": (
        f"{MONITOR}[monitors.m.alert]\ndatapoints_to_alert = 0#!",
        "monitors.m.alert.datapoints_to_alert",
        "from 1 to 100, found 0",
        "between",
    ),
    "alert of many": (
        f"{MONITOR}[monitors.m.alert]\nevaluation_period = 101#!",
        "monitors.m.alert.evaluation_period",
        "from 1 to 100, found 101",
        "between",
    ),
    "alert of a boolean": (
        f"{MONITOR}[monitors.m.alert]\ndatapoints_to_alert = true#!",
        "monitors.m.alert.datapoints_to_alert",
        "expected a whole number, found a boolean",
        "without quotes",
    ),
    "alert of a half": (
        f"{MONITOR}[monitors.m.alert]\nevaluation_period = 2.5#!",
        "monitors.m.alert.evaluation_period",
        "expected a whole number",
        "without quotes",
    ),
    "alert severity": (
        f"{MONITOR}[monitors.m.alert]\nmin_severity = 'error'#!",
        "monitors.m.alert.min_severity",
        "unknown value",
        "warning, critical",
    ),
    "alert with a name": (f"{MONITOR}[monitors.m.alert]\nname = 'x'#!", "monitors.m.alert.name", "unknown key", ""),
    "alert and alerts": (
        f"{MONITOR}[monitors.m.alert]#!\n[[monitors.m.alerts]]\nname = 'x'",
        "monitors.m.alert",
        "stands beside alerts",
        "[[monitors.m.alerts]]",
    ),
    "alerts as table": (
        f"{MONITOR}[monitors.m.alerts]#!\nname = 'x'",
        "monitors.m.alerts",
        "expected an array of tables",
        "[[monitors.m.alerts]]",
    ),
    "alerts without name": (
        f"{MONITOR}[[monitors.m.alerts]]#!\nkeep_firing = 1",
        "monitors.m.alerts[0].name",
        "missing",
        "name =",
    ),
    "alerts alike": (
        f"{MONITOR}[[monitors.m.alerts]]\nname = 'x'\n[[monitors.m.alerts]]\nname = 'X'#!",
        "monitors.m.alerts[1].name",
        "differs from 'x' in case only",
        "rename",
    ),
    "no alerts": (f"{MONITOR}alerts = []#!", "monitors.m.alerts", "is empty", "at least one"),
    # targets
    "target kind": ("[targets.t]\nkind = 'slack'#!\nurl_env = 'A'", "targets.t.kind", "unknown value", "webhook, alert"),
    "target of no kind": ("[targets.t]#!\nurl_env = 'A'", "targets.t.kind", "missing", "webhook"),
    "target without address": ("[targets.t]#!\nkind = 'alertmanager'", "targets.t.url_env", "missing", "url, url_env"),
    "target with two": (f"{HOOK}url_file = 'f'#!", "targets.t.url_file", "says again where to send", "keep one"),
    "target in the clear": (
        "[targets.t]\nkind = 'alertmanager'\nurl = 'http://h/x'#!",
        "targets.t.url",
        "in the clear",
        "allow_http = true",
    ),
    "target of another scheme": (
        "[targets.t]\nkind = 'alertmanager'\nurl = 'file:///etc/passwd'#!",
        "targets.t.url",
        "expected a URL",
        "https://host/path",
    ),
    "target of a broken URL": (
        "[targets.t]\nkind = 'alertmanager'\nurl = 'https://h:port/x'#!",
        "targets.t.url",
        "expected a URL",
        "https://host/path",
    ),
    "target with credentials": (
        "[targets.t]\nkind = 'alertmanager'\nurl = 'https://u:hunter2@h/x'#!",
        "targets.t.url",
        "holds credentials",
        "url_env",
    ),
    "target of apprise": (
        "[targets.t]\nkind = 'apprise'\nurl = 'slack://hunter2/hunter2/x'#!",
        "targets.t.url",
        "hold credentials",
        "url_env",
    ),
    "secret in the file": (
        f"{HOOK}secret = 'hunter2'#!",
        "targets.t.secret",
        "unknown key 'secret'",
        "use secret_env or secret_file",
    ),
    "secret in place of its name": (
        "[targets.t]\nkind = 'alertmanager'\nurl_env = 'A'\nsecret_env = 'whsec_hunter2=='#!",
        "targets.t.secret_env",
        "name of an environment variable",
        'secret_env = "MY_SECRET"',
    ),
    "webhook without secret": (
        "[targets.t]#!\nkind = 'webhook'\nurl_env = 'A'",
        "targets.t.secret_env",
        "missing",
        "webhooks are signed",
    ),
    "two secrets": (
        "[targets.t]\nkind = 'webhook'\nurl_env = 'A'\nsecret_env = 'A'\nsecret_file = 'b'#!",
        "targets.t.secret_file",
        "stands beside",
        "keep one",
    ),
    "secret of a log": (
        "[targets.t]\nkind = 'log'\nsecret_env = 'A'#!",
        "targets.t.secret_env",
        "has no key of its own",
        "remove",
    ),
    "address of a log": ("[targets.t]\nkind = 'log'\nurl_env = 'A'#!", "targets.t.url_env", "no address", "remove"),
    "event": (f"{HOOK}events = ['Alert Opened']#!", "targets.t.events[0]", "no type of event", "alert.opened"),
    "event as number": (f"{HOOK}events = [1]#!", "targets.t.events[0]", "expected text, found a number", "quotes"),
    "events of none": (f"{HOOK}events = []#!", "targets.t.events", "is empty", "leave the key out"),
    "target model": (
        f"{MODEL}{HOOK}models = ['chrun']#!",
        "targets.t.models[0]",
        "no model called 'chrun'",
        "did you mean 'churn'",
    ),
    "target endpoint": (f"{HOOK}endpoints = ['a/b']#!", "targets.t.endpoints[0]", "neither a name nor", "churn-*"),
    # scheduler
    "poll": ("[scheduler]\npoll = '2h'#!", "scheduler.poll", "from PT1S to PT1H, found 2h", "between"),
    "lease": ("[scheduler]\nlease = 'PT1S'#!", "scheduler.lease", "from PT5S to PT1H", "between"),
    "workers": ("[scheduler]\nworkers = 0#!", "scheduler.workers", "from 1 to 64, found 0", "between"),
    "many workers": (f"[scheduler]\nworkers = {2**62}#!", "scheduler.workers", "a much larger one", "between"),
    "workers as text": ("[scheduler]\nworkers = '4'#!", "scheduler.workers", "expected a whole number", "without quotes"),
    "stale_after as duration": ("[scheduler]\nstale_after = 'P1D'#!", "scheduler.stale_after", "whole number", "1 to 100"),
    "heartbeat to nowhere": (
        "[scheduler.heartbeat]#!\nevery = '1m'",
        "scheduler.heartbeat.url_env",
        "missing",
        "url_file",
    ),
    "heartbeat too often": (
        "[scheduler.heartbeat]\nurl_env = 'A'\nevery = '1s'#!",
        "scheduler.heartbeat.every",
        "from PT10S to P1D",
        "between",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_error_names_file_line_key_and_fix(case: str) -> None:
    text, field, message, fix = CASES[case]
    (line,) = [n for n, row in enumerate(text.split("\n"), start=1) if row.endswith("#!")]
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(text.encode(), "team/driftline.toml")
    error = refused.value
    assert [problem.field for problem in error.problems] == [field], str(error)
    assert message in error.message
    assert error.fix
    assert fix in error.fix
    assert error.line == line
    assert f"team/driftline.toml:{line}: {field}: " in str(error)
    assert "\n" not in str(error)
    assert "hunter2" not in str(error)


BYTES = {
    "nothing closed": (b"[models", 1, "not TOML", "at the end of the file"),
    "no value": (b"\n\n[models.churn]\nowner =\n", 4, "not TOML", "column"),
    "no quotes": (b"[models.churn]\nowner = growth\n", 2, "not TOML", "column"),
    "key twice": (b"[models.churn]\nowner = 'a'\nowner = 'b'\n", 3, "not TOML", "column"),
    "table twice": (b"[models.churn]\n[models.churn]\n", 2, "not TOML", "column"),
    "lone surrogate": (b'[models.churn]\nowner = "\\ud800"\n', 2, "not TOML", "column"),
    "not UTF-8": (b"[models.churn]\nowner = '\xff'\n", 2, "byte 24 is not valid UTF-8", ""),
    "UTF-16": ("[models.churn]\n".encode("utf-16"), 1, "is not valid UTF-8", ""),
    "NUL": (b"\0\0\0", 1, "not TOML", "column"),
    "deep key": (b"\n" + b"a." * 200_000 + b"a = 1", 2, "deeper than 16 levels", ""),
    "deep quoted key": (b"\n" + b'"a".' * 200_000 + b"a = 1", 2, "deeper than 16 levels", ""),
    "deep array": (b"a = " + b"[" * 100_000, None, "deeper than 16 levels", ""),
    "deep table": (b"[" + b".".join(b"a%d" % i for i in range(17)) + b"]", None, "deeper than 16 levels", ""),
    "long number": (b"a = " + b"1" * 5000, None, "not TOML", ""),
    "no such day": (b"a = 2026-02-30", 1, "not TOML", ""),
}


@pytest.mark.parametrize("case", BYTES)
def test_what_is_no_configuration_at_all(case: str) -> None:
    data, line, *words = BYTES[case]
    with pytest.raises(DocumentError) as refused:
        read_configuration(data, "driftline.toml")
    error = refused.value
    assert (error.code, error.file, error.line) == ("E-CONFIG", "driftline.toml", line)
    assert error.fix
    assert all(word in error.message for word in words), error.message


def test_a_file_has_at_most_a_mebibyte() -> None:
    assert read_configuration(b"#" * (1 << 20)).models == {}
    with pytest.raises(DocumentError, match=r"1,048,577 bytes, more than the limit of 1,048,576"):
        read_configuration(b"#" * ((1 << 20) + 1), "driftline.toml")


@pytest.mark.parametrize(
    "text",
    ["a" * 1_000_000, "a = 1 # " + "a" * 1_000_000, '"' + "\\\\" * 500_000, "a" + " " * 1_000_000 + ".b=1"],
)
def test_long_lines_take_no_time(text: str) -> None:
    with pytest.raises(DocumentError):
        read_configuration(text.encode())


def test_what_is_no_file(tmp_path: object) -> None:
    with pytest.raises(InputError, match="E-FILE"):
        read_configuration(f"{tmp_path}/none.toml")
    with pytest.raises(InputError, match="not a regular file"):
        read_configuration(str(tmp_path))


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = "[scheduler]\nworkers = 0\npoll = 5\n[models.churn]\nrisk_rating = 'x'\nowner = 1\n"
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(text.encode(), "d.toml")
    error = refused.value
    assert [problem.line for problem in error.problems] == [2, 3, 5, 6]
    assert str(error) == (
        "E-CONFIG: d.toml:2: scheduler.workers: expected a number from 1 to 64, found 0; choose one between "
        "(and 3 more: line 3: scheduler.poll: the number has no unit; line 5: models.churn.risk_rating: "
        "unknown value 'x'; line 6: models.churn.owner: expected text, found a number)"
    )


def test_the_text_of_an_error_tells_ten_problems() -> None:
    text = "".join(f"[models.m{n}]\nrisk_rating = 'x'\n" for n in range(5000))
    with pytest.raises(ConfigurationError) as refused:
        read_configuration(text.encode(), "d.toml")
    assert len(refused.value.problems) == 5000
    assert "(and 4999 more: " in str(refused.value)
    assert str(refused.value).count("unknown value") == 10
    assert str(refused.value).endswith("; …)")
    assert len(str(refused.value)) < 3000
