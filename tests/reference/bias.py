"""Metrics of bias as the definitions say them, one row after the other."""

from __future__ import annotations

import math

A, D = 0, 1


def ratio(over: float, under: float, compat: bool) -> float:
    if under == 0:
        if over == 0:
            return 0.0 if compat else math.nan
        return math.copysign(math.inf, over)
    return over / under


def minus(left: float, right: float, compat: bool) -> float:
    if compat and math.isinf(left) and left == right:
        return 0.0
    return left - right


def share(rows: list, what) -> float:
    return sum(map(what, rows)) / len(rows)


def slow(
    name: str, rows: list[tuple[int, str | None, int, int]], *, compat: bool, group: bool = True
) -> float | None:
    """Measure rows of (side, group, label, prediction); None where the metric is not defined, or fails."""
    sides = [[row for row in rows if row[0] == side] for side in (A, D)]
    n = [len(side) for side in sides]
    if name == "GE":
        return generalized_entropy(rows)
    if name in ("CDDL", "CDDPL"):
        return disparity(rows, 2 if name == "CDDL" else 3, compat=compat, group=group)
    if name in ("KL", "JS", "LP", "TVD", "KS"):
        return divergence(name, sides, compat=compat)
    if min(n) == 0:
        return None
    if name == "CI":
        return (n[A] - n[D]) / (n[A] + n[D])
    if name in ("DPL", "DPPL"):
        at = 2 if name == "DPL" else 3
        return share(sides[A], lambda r: r[at]) - share(sides[D], lambda r: r[at])
    if name == "DI":
        return defined(ratio(share(sides[D], lambda r: r[3]), share(sides[A], lambda r: r[3]), compat))
    rates = [rate(name, side, compat) for side in sides]
    sign = -1 if name in ("SD", "DRR", "DCR", "TE") else 1
    return defined(minus(rates[A], rates[D], compat) if sign == 1 else minus(rates[D], rates[A], compat))


def defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def rate(name: str, side: list, compat: bool) -> float:
    tp = sum(y == 1 and p == 1 for *_, y, p in side)
    tn = sum(y == 0 and p == 0 for *_, y, p in side)
    fp = sum(y == 0 and p == 1 for *_, y, p in side)
    fn = sum(y == 1 and p == 0 for *_, y, p in side)
    over, under = {
        "RD": (tp, tp + fn),
        "SD": (tn, tn + fp),
        "DAR": (tp, tp + fp),
        "DRR": (tn, tn + fn),
        "AD": (tp + tn, len(side)),
        "TE": (fn, fp),
        "DCA": (tp + fn, tp + fp),
        "DCR": (tn + fp, tn + fn),
    }[name]
    return ratio(over, under, compat)


def generalized_entropy(rows: list) -> float | None:
    benefits = [p - y + 1 for *_, y, p in rows]
    if sum(benefits) == 0:
        return None
    mean = sum(benefits) / len(benefits)
    return sum((b / mean) ** 2 - 1 for b in benefits) / (2 * len(benefits))


def disparity(rows: list, at: int, *, compat: bool, group: bool) -> float | None:
    if not group or all(row[1] is None for row in rows):
        return None
    if not any(row[at] for row in rows) or all(row[at] for row in rows):
        return None
    if not compat and len({row[0] for row in rows}) < 2:
        return None
    total, weight = 0.0, 0
    for value in {row[1] for row in rows} - {None}:
        inside = [row for row in rows if row[1] == value]
        shares = []
        for outcome in (0, 1):
            of_outcome = [row for row in inside if row[at] == outcome]
            shares.append(share(of_outcome, lambda r: r[0] == D) if of_outcome else 0.0)
        total += len(inside) * (shares[0] - shares[1])
        weight += len(inside)
    return total / weight


def divergence(name: str, sides: list, *, compat: bool) -> float | None:
    if not compat and not all(sides):
        return None
    p, q = ([share(side, lambda r, v=v: r[2] == v) if side else 0.0 for v in (0, 1)] for side in sides)
    pairs = [(a, b) for a, b in zip(p, q, strict=True) if not compat or (a > 0 and b > 0)]
    if not pairs:
        return None
    match name:
        case "KL":
            return sum(0.0 if a == 0 else math.inf if b == 0 else a * math.log(a / b) for a, b in pairs)
        case "JS":
            middle = [(a + b) / 2 for a, b in pairs]
            left = sum(a * math.log(a / m) for (a, _), m in zip(pairs, middle, strict=True) if a)
            return (left + sum(b * math.log(b / m) for (_, b), m in zip(pairs, middle, strict=True) if b)) / 2
        case "LP":
            return math.sqrt(sum((a - b) ** 2 for a, b in pairs))
        case "TVD":
            return sum(abs(a - b) for a, b in pairs) / 2
    return max(abs(a - b) for a, b in pairs)


def flip_test(features: list[list[float]], is_d: list[bool], predicted: list[bool]) -> float:
    others = [i for i, d in enumerate(is_d) if not d]
    group = [i for i, d in enumerate(is_d) if d]
    k = 5 if len(others) > 9 else 1
    total = 0
    for i in group:

        def distance(j: int, i: int = i) -> float:
            return sum((a - b) ** 2 for a, b in zip(features[i], features[j], strict=True))

        near = sorted(others, key=distance)[:k]  # sorted() keeps the order of equals
        vote = sum(predicted[j] for j in near) * 2 > k
        total += int(predicted[i]) - int(vote)
    return total / len(group)
