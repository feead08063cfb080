"""Configurations: no TOML, misspelt, of wrong types, out of range."""

from __future__ import annotations

from bad_input.case import Case, config, told
from bad_input.making import files


def _good(name: str, text: str, code: int, *options: str, **facts: object) -> Case:
    return told(
        name, "live.parquet", files({"c.toml": text.encode()}), code, "-c", "c.toml", *options, **facts
    )


CASES: list[Case] = [
    config("not-toml", "checks = [", "E-CONFIG: c.toml: not TOML: <any>"),
    config("json-in-its-place", '{"alpha": 0.1}', "E-CONFIG: c.toml:1: not TOML: <any>"),
    config("yaml-in-its-place", "checks:\n  ks:\n    bound: 0.1\n", "E-CONFIG: c.toml:1: not TOML: <any>"),
    config("key-twice", "alpha = 0.1\nalpha = 0.2\n", "E-CONFIG: c.toml:2: not TOML: <any>"),
    config("not-utf8", b"alpha = 0.1 # \xff\n", "E-CONFIG: c.toml: not valid UTF-8; save it as UTF-8"),
    config("nul-byte", b"alpha = 0.1\0\n", "E-CONFIG: c.toml:1: not TOML: <any>"),
    config(
        "unknown-section",
        "[chekcs.ks]\nbound = 0.1\n",
        "E-FIELD: c.toml: unknown field 'chekcs'; did you mean 'checks'?",
    ),
    config(
        "unknown-check",
        "[checks.kss]\nbound = 0.1\n",
        "E-FIELD: c.toml: checks: there is no check called 'kss'; did you mean 'ks'?",
    ),
    config(
        "unknown-check-far-off",
        "[checks.frobnicate]\nbound = 0.1\n",
        "E-FIELD: c.toml: checks: there is no check called 'frobnicate'; use one of missing_column, extra_column, data_type, completeness, categorical_values, non_negative, numeric_range, uniqueness, row_volume, freshness, ks, l_infinity, l_infinity_robust, chi_squared, psi, js_distance, hellinger, total_variation, wasserstein",
    ),
    config(
        "unknown-setting",
        "[checks.ks]\nbuond = 0.1\n",
        "E-FIELD: c.toml: checks.ks: unknown field 'buond'; did you mean 'bound'?",
    ),
    config(
        "unknown-column",
        "[columns.amuont.checks.ks]\nbound = 0.1\n",
        "E-CONFIG: c.toml: columns.amuont: the configuration speaks of a column that neither the baseline nor the data has; did you mean 'amount'?",
    ),
    config(
        "unknown-column-far-off",
        "[columns.zzz.checks.ks]\nbound = 0.1\n",
        "E-CONFIG: c.toml: columns.zzz: the configuration speaks of a column that neither the baseline nor the data has; remove it",
    ),
    config(
        "unknown-column-setting",
        "[columns.amount]\nignored = true\n",
        "E-FIELD: c.toml: columns.amount: unknown field 'ignored'; did you mean 'ignore'?",
    ),
    config(
        "unknown-role",
        '[columns.amount]\nrole = "identifer"\n',
        "E-FIELD: c.toml: columns.amount.role: unknown value 'identifer'; did you mean 'identifier'?",
    ),
    config(
        "unknown-severity",
        '[checks.ks]\nseverity = "loud"\n',
        "E-FIELD: c.toml: checks.ks.severity: unknown value 'loud'; use one of warning, critical",
    ),
    config(
        "section-is-a-number", "checks = 3\n", "E-FIELD: c.toml: checks: expected an object, found a number"
    ),
    config(
        "check-is-a-number",
        "[checks]\nks = 0.1\n",
        "E-FIELD: c.toml: checks.ks: expected an object, found a number",
    ),
    config(
        "column-is-true",
        "[columns]\namount = true\n",
        "E-FIELD: c.toml: columns.amount: expected an object, found a boolean",
    ),
    config(
        "bound-is-text",
        '[checks.ks]\nbound = "0.1"\n',
        "E-FIELD: c.toml: checks.ks.bound: expected a number, found text",
    ),
    config(
        "bound-is-a-list",
        "[checks.ks]\nbound = [0.1]\n",
        "E-FIELD: c.toml: checks.ks.bound: expected a number, found a list",
    ),
    config(
        "bound-is-true",
        "[checks.ks]\nbound = true\n",
        "E-FIELD: c.toml: checks.ks.bound: expected a number, found a boolean",
    ),
    config(
        "bound-with-a-unit",
        '[checks.freshness]\nbound = "2h"\n',
        "E-FIELD: c.toml: checks.freshness.bound: expected a number, found text",
    ),
    config(
        "bound-is-a-date",
        "[checks.freshness]\nbound = 2020-01-01\n",
        "E-FIELD: c.toml: checks.freshness.bound: expected a number, found a value of type date",
    ),
    config(
        "bound-nan",
        "[checks.ks]\nbound = nan\n",
        "E-FIELD: c.toml: checks.ks.bound: expected a finite number, found nan",
    ),
    config(
        "bound-infinite",
        "[checks.ks]\nbound = inf\n",
        "E-FIELD: c.toml: checks.ks.bound: expected a finite number, found inf",
    ),
    config(
        "bound-infinite-psi",
        "[checks.psi]\nbound = inf\n",
        "E-FIELD: c.toml: checks.psi.bound: expected a finite number, found inf",
    ),
    config(
        "bound-negative",
        "[checks.ks]\nbound = -0.1\n",
        "E-FIELD: c.toml: checks.ks.bound: expected a number from 0 to 1, found -0.1",
    ),
    config(
        "share-above-one",
        "[checks.completeness]\nbound = 95\n",
        "E-FIELD: c.toml: checks.completeness.bound: expected a number from 0 to 1, found 95",
    ),
    config(
        "distance-above-one",
        "[checks.ks]\nbound = 1.5\n",
        "E-FIELD: c.toml: checks.ks.bound: expected a number from 0 to 1, found 1.5",
    ),
    config(
        "range-nan",
        "[columns.amount.checks.numeric_range]\nlow = nan\n",
        "E-FIELD: c.toml: columns.amount.checks.numeric_range.low: expected a finite number, found nan",
    ),
    config(
        "range-empty",
        "[columns.amount.checks.numeric_range]\nlow = 5\nhigh = 1\n",
        "E-FIELD: c.toml: columns.amount.checks.numeric_range: the range is empty: low 5 is above high 1",
    ),
    config(
        "range-infinite",
        "[columns.amount.checks.numeric_range]\nlow = -inf\nhigh = inf\n",
        "E-FIELD: c.toml: columns.amount.checks.numeric_range.low: expected a finite number, found -inf",
    ),
    config(
        "range-where-none-belongs",
        "[checks.ks]\nlow = 0\n",
        "E-FIELD: c.toml: checks.ks.low: ks has no range",
    ),
    config(
        "enabled-is-text",
        '[checks.ks]\nenabled = "yes"\n',
        "E-FIELD: c.toml: checks.ks.enabled: expected true or false, found text",
    ),
    config(
        "enabled-is-one",
        "[checks.ks]\nenabled = 1\n",
        "E-FIELD: c.toml: checks.ks.enabled: expected true or false, found a number",
    ),
    config(
        "least-rows-negative",
        "[checks.ks]\nmin_rows = -1\n",
        "E-FIELD: c.toml: checks.ks.min_rows: expected at least 0, found -1",
    ),
    config(
        "least-rows-a-fraction",
        "[checks.ks]\nmin_rows = 1.5\n",
        "E-FIELD: c.toml: checks.ks.min_rows: expected a whole number, found a number",
    ),
    config(
        "least-rows-huge",
        "[checks.ks]\nmin_rows = 99999999999999999999\n",
        "E-FIELD: c.toml: checks.ks.min_rows: expected at most 9223372036854775807, found a larger number",
    ),
    config("alpha-zero", "alpha = 0\n", "E-FIELD: c.toml: alpha: expected a rate above 0 and below 1"),
    config("alpha-one", "alpha = 1.0\n", "E-FIELD: c.toml: alpha: expected a rate above 0 and below 1"),
    config(
        "alpha-above-one", "alpha = 5\n", "E-FIELD: c.toml: alpha: expected a number from 0 to 1, found 5"
    ),
    config(
        "alpha-negative",
        "alpha = -0.1\n",
        "E-FIELD: c.toml: alpha: expected a number from 0 to 1, found -0.1",
    ),
    config("alpha-nan", "alpha = nan\n", "E-FIELD: c.toml: alpha: expected a finite number, found nan"),
    config("alpha-is-text", 'alpha = "0.05"\n', "E-FIELD: c.toml: alpha: expected a number, found text"),
    config("deep", "a = " + "[" * 5000 + "]" * 5000 + "\n", "E-CONFIG: c.toml: nests too deeply; flatten it"),
    config("deep-keys", "a" + ".a" * 20_000 + " = 1\n", "E-CONFIG: c.toml: nests too deeply; flatten it"),
    config(
        "hostile-key",
        '"\\u001b[31m\\n<script>" = 1\n',
        "E-FIELD: c.toml: unknown field '\\x1b[31m\\n<script>'; remove it",
    ),
    config(
        "too-large",
        b"# " + b"x" * (5 << 20),
        "E-FILE: c.toml: has 5,242,882 bytes, more than the limit of 4,194,304",
    ),
    _good("empty", "", 0, status="passed"),
    _good("byte-order-mark", "\ufeffalpha = 0.1\n", 0, status="passed"),
    _good("only-comments", "# nothing\n", 0, status="passed"),
    _good("carriage-returns", "[checks.ks]\r\nbound = 0.2\r\n", 0, status="passed"),
    _good(
        "everything-switched-off",
        "".join(
            f"[checks.{name}]\nenabled = false\n"
            for name in (
                "missing_column",
                "extra_column",
                "data_type",
                "completeness",
                "categorical_values",
                "non_negative",
                "numeric_range",
                "ks",
                "l_infinity",
            )
        ),
        4,
        status="undetermined",
    ),
    _good(
        "every-column-ignored",
        "".join(f"[columns.{name}]\nignore = true\n" for name in ("amount", "count", "kind")),
        4,
        status="undetermined",
    ),
    _good(
        "more-rows-asked-than-there-are", "[checks.row_volume]\nlow = 100000\n", 1, violated=["/row_volume"]
    ),
    _good(
        "least-rows-beyond-the-data",
        "[checks.ks]\nmin_rows = 1000000\n",
        0,
        undetermined=["amount/ks", "count/ks"],
    ),
    config(
        "freshness-of-a-number",
        "[columns.amount.checks.freshness]\nbound = 10\n",
        "E-CONFIG: c.toml: columns.amount.checks.freshness: freshness does not apply to a column of kind number; choose one of <any>",
    ),
    config(
        "drift-check-on-text",
        "[columns.kind.checks.ks]\nbound = 0.1\n",
        "E-CONFIG: c.toml: columns.kind.checks.ks: ks does not apply to a column of kind text; choose one of <any>",
    ),
]
