"""What a notebook does: describe both files, then a Kolmogorov-Smirnov or a chi-squared test per column."""

import json
import sys

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp

MOST_VALUES = 10_000
"""Texts with more different values than this are ids: no table of them is tested."""

baseline, current = (pd.read_parquet(path) for path in sys.argv[1:3])
document: dict[str, object] = {
    "baseline": json.loads(baseline.describe(include="all").to_json()),
    "current": json.loads(current.describe(include="all").to_json()),
}
for name in baseline.columns:
    before, after = baseline[name].dropna(), current[name].dropna()
    if pd.api.types.is_numeric_dtype(before):
        a, b = before.to_numpy(), after.to_numpy()
        result = ks_2samp(a[np.isfinite(a)], b[np.isfinite(b)])
        document[name] = {"ks": float(result.statistic), "p": float(result.pvalue)}
        continue
    table = pd.concat([before.value_counts(), after.value_counts()], axis=1).fillna(0)
    if len(table) <= MOST_VALUES:
        chi2, p, *_ = chi2_contingency(table.to_numpy().T)
        document[name] = {"chi2": float(chi2), "p": float(p)}
print(json.dumps(document))
