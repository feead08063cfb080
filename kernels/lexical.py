r"""Lexical: the type of a value, read from its text.

Deequ's rules (the engine inside SageMaker Model Monitor), which look at the characters alone:

========== ======================================================================
Fractional ``^(-|\+)? ?\d+((\.\d+)|((?:\.\d+)?[Ee][-+]?\d+))$``
Integral   ``^(-|\+)? ?\d+$``
Boolean    ``true`` or ``false``
null       the empty text
String     anything else
========== ======================================================================

So ``.5``, ``5.``, ``NaN``, ``inf`` and ``"5 "`` are Strings for Deequ although people mean numbers. They get
a class of their own, :attr:`Lexical.LOOSE`; whoever wants Deequ's answer counts LOOSE as STRING.

All texts of a column are read together by one deterministic automaton over bytes. Its tables are plain
arrays, so that a compiled loop can run the very same automaton: start in state 0; for every byte ``b`` go to
``TABLE[state, BYTE_CLASS[b]]``; at the end the class is ``FINAL[state]``. State :data:`DEAD` is never left.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["BYTE_CLASS", "DEAD", "FINAL", "TABLE", "Lexical", "classify", "parse_numbers"]


class Lexical(IntEnum):
    """The class of one text.

    Attributes
    ----------
    NULL
        The empty text.
    INTEGRAL, FRACTIONAL, BOOLEAN
        As Deequ says.
    LOOSE
        What people mean as a number and Deequ calls a String: ``.5``, ``5.``, ``NaN``, ``inf`` and
        ``infinity`` in any case, and numbers of every kind with blanks, tabs or line ends around them.
        ``1_000``, ``1,000`` and ``0x1F`` are not among them.
    STRING
        Everything else.
    """

    NULL = 0
    INTEGRAL = 1
    FRACTIONAL = 2
    BOOLEAN = 3
    LOOSE = 4
    STRING = 5


_DIGIT, _DOT, _SIGN, _BLANK, _SPACE, _OTHER = "digit", "dot", "sign", "blank", "space", "other"
# Letters that differ by case keep their case: "true" and "false" are lower case, "NaN" may be anything.
_SYMBOLS: Final = (_OTHER, _DIGIT, _DOT, _SIGN, _BLANK, _SPACE, *"eEnNaAfFiItTyYrRuUlLsS")


def _byte_class() -> NDArray[np.uint8]:
    table = np.zeros(256, np.uint8)
    groups = {_DIGIT: "0123456789", _DOT: ".", _SIGN: "+-", _BLANK: " ", _SPACE: "\t\r\n"}
    for number, symbol in enumerate(_SYMBOLS):
        for character in groups.get(symbol, symbol if len(symbol) == 1 else ""):
            table[ord(character)] = number
    return table


class _Automaton:
    """States by name while the table is built."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {"start": 0}
        self.final: dict[str, Lexical] = {"start": Lexical.NULL}
        self.edges: list[tuple[str, str, str]] = []

    def state(self, name: str, final: Lexical = Lexical.STRING) -> str:
        self.number[name] = len(self.number)
        self.final[name] = final
        return name

    def go(self, source: str, symbols: Iterable[str], target: str) -> None:
        self.edges.extend((source, symbol, target) for symbol in symbols)

    def word(self, text: str, sources: Iterable[str], name: str, *, any_case: bool, final: Lexical) -> str:
        """Read `text` letter by letter, starting from any of `sources`; return the last state."""
        here = list(sources)
        for i, letter in enumerate(text, 1):
            target = self.state(f"{name}{i}", final if i == len(text) else Lexical.STRING)
            for source in here:
                self.go(source, (letter, letter.upper()) if any_case else (letter,), target)
            here = [target]
        return here[0]

    def tables(self) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
        dead = self.number["dead"]
        table = np.full((len(self.number), len(_SYMBOLS)), dead, np.uint8)
        for source, symbol, target in self.edges:
            place = self.number[source], _SYMBOLS.index(symbol)
            if table[place] != dead:
                raise AssertionError(f"two ways to go from {source} at {symbol}")
            table[place] = self.number[target]
        final = np.array([self.final[name] for name in self.number], np.int8)
        return table, final


def _tables() -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    a = _Automaton()
    digit, dot, sign, blank, white, e = (_DIGIT,), (_DOT,), (_SIGN,), (_BLANK,), (_BLANK, _SPACE), ("e", "E")
    a.state("dead")
    a.state("blank")  # one blank, which Deequ allows before the digits
    a.state("space")  # more white space than that: loose from here on
    a.state("leading dot")
    a.state("trailing", Lexical.LOOSE)
    for t in "strict", "loose":
        strict = t == "strict"
        number = Lexical.FRACTIONAL if strict else Lexical.LOOSE
        a.state(f"sign {t}")
        a.state(f"sign blank {t}")
        a.state(f"whole {t}", Lexical.INTEGRAL if strict else Lexical.LOOSE)
        a.state(f"point {t}", Lexical.LOOSE)
        a.state(f"fraction {t}", number)
        a.state(f"e {t}")
        a.state(f"e sign {t}")
        a.state(f"exponent {t}", number)
    for t in "strict", "loose":
        a.go(f"sign {t}", blank, f"sign blank {t}")
        for source in f"sign {t}", f"sign blank {t}", f"whole {t}":
            a.go(source, digit, f"whole {t}")
        a.go(f"whole {t}", dot, f"point {t}")
        a.go(f"whole {t}", e, f"e {t}")
        a.go(f"point {t}", digit, f"fraction {t}")
        a.go(f"point {t}", e, "e loose")  # "5.e3"
        a.go(f"fraction {t}", digit, f"fraction {t}")
        a.go(f"fraction {t}", e, f"e {t}")
        a.go(f"e {t}", sign, f"e sign {t}")
        for source in f"e {t}", f"e sign {t}", f"exponent {t}":
            a.go(source, digit, f"exponent {t}")
        for source in "whole", "point", "fraction", "exponent":
            a.go(f"{source} {t}", white, "trailing")
    a.go("start", digit, "whole strict")
    a.go("start", sign, "sign strict")
    a.go("start", blank, "blank")
    a.go("start", (_SPACE,), "space")
    a.go("blank", digit, "whole strict")
    a.go("blank", sign, "sign loose")
    a.go("blank", white, "space")
    a.go("space", digit, "whole loose")
    a.go("space", sign, "sign loose")
    a.go("space", white, "space")
    openings = ["start", "blank", "space"]
    openings += [f"{s} {t}" for s in ("sign", "sign blank") for t in ("strict", "loose")]
    for source in openings:
        a.go(source, dot, "leading dot")
    a.go("leading dot", digit, "fraction loose")
    nan = a.word("nan", openings, "nan", any_case=True, final=Lexical.LOOSE)
    inf = a.word("inf", openings, "inf", any_case=True, final=Lexical.LOOSE)
    infinity = a.word("inity", [inf], "infinity", any_case=True, final=Lexical.LOOSE)
    for source in nan, inf, infinity, "trailing":
        a.go(source, white, "trailing")
    a.word("true", ["start"], "true", any_case=False, final=Lexical.BOOLEAN)
    a.word("false", ["start"], "false", any_case=False, final=Lexical.BOOLEAN)
    return a.tables()


BYTE_CLASS: Final[NDArray[np.uint8]] = _byte_class()
"""Column of :data:`TABLE` for every byte, shape (256,)."""

_TABLES: Final = _tables()

TABLE: Final[NDArray[np.uint8]] = _TABLES[0]
"""Next state, shape (states, byte classes). The start is state 0."""

FINAL: Final[NDArray[np.int8]] = _TABLES[1]
"""Class (:class:`Lexical`) of a text that ends in a state, shape (states,)."""

DEAD: Final = 1
"""The state that is never left; its texts are STRING."""

for _array in (BYTE_CLASS, TABLE, FINAL):
    _array.flags.writeable = False

_ROWS = 16384
"""Texts read together: positions, states and bytes of so many stay in the cache."""

_FEW = 256
_LONG = 64
"""After so many bytes, fewer than :data:`_FEW` unfinished texts are read one by one."""


def classify(offsets: NDArray[Any], data: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Tell the class of every text of a column.

    Parameters
    ----------
    offsets : ndarray of int32 or int64, shape (n + 1,)
        Text `i` is ``data[offsets[i]:offsets[i + 1]]``, as in an Arrow string array. The first offset need
        not be 0.
    data : ndarray of uint8
        UTF-8. Validity is the caller's business: a null row is classed by the bytes it happens to span.

    Returns
    -------
    ndarray of int8, shape (n,)
        Values of :class:`Lexical`.

    Notes ----- Only ASCII digits are digits, as in Java. There is no length limit: ``000…1`` of a million
    digits is Integral. The texts advance together, one byte a step, and drop out when they end or can no
    longer be a number; what is left of a few very long numbers is read by a plain loop over the same table.
    """
    n = int(offsets.shape[0]) - 1
    result = np.empty(n, np.int8)
    # One look-up for two: the column of the table for the byte is folded into the index.
    width = TABLE.shape[1]
    flat = TABLE.ravel().astype(np.intp) * width
    for begin in range(0, n, _ROWS):
        end = min(begin + _ROWS, n)
        part = offsets[begin : end + 1].astype(np.int64)
        base = int(part[0])
        text = BYTE_CLASS[data[base : int(part[-1])]]
        result[begin:end] = FINAL[_states(part - base, text, flat, width) // width]
    return result


def _states(
    offsets: NDArray[np.int64], text: NDArray[np.uint8], flat: NDArray[np.intp], width: int
) -> NDArray[np.intp]:
    """Run the automaton; states come and go multiplied by `width`."""
    lengths = np.diff(offsets)
    # Longest first, so that the texts that still have a byte are always a prefix.
    order = np.argsort(-lengths, kind="stable")
    left = lengths[order]
    at = offsets[:-1][order]
    state = np.zeros(order.shape[0], np.intp)
    result = np.zeros(order.shape[0], np.intp)
    step = 0
    count = int(np.count_nonzero(left > 0))
    while count:
        state[:count] = flat[state[:count] + text[at[:count]]]
        at[:count] += 1
        step += 1
        if step & (step - 1) == 0 or step % 16 == 0:
            alive = np.flatnonzero(state[:count] != DEAD * width)
            if alive.shape[0] * 2 < count:
                result[order] = state
                state, at, left, order = state[alive], at[alive], left[alive], order[alive]
                count = alive.shape[0]
        count = int(np.searchsorted(-left[:count], -step, side="left"))
        if step >= _LONG and count < _FEW:
            for i in range(count):
                state[i] = _finish(int(state[i]), text[at[i] : at[i] + left[i] - step], flat)
            break
    result[order] = state
    return result


def _finish(state: int, text: NDArray[np.uint8], flat: NDArray[np.intp]) -> int:
    table = flat.tolist()
    dead = DEAD * TABLE.shape[1]
    for symbol in text.tobytes():
        if state == dead:
            break
        state = table[state + symbol]
    return state


def parse_numbers(
    offsets: NDArray[Any], data: NDArray[np.uint8], classes: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Read the numbers of a column of texts.

    Parameters
    ----------
    offsets, data
        As for :func:`classify`.
    classes : ndarray of int8, shape (n,)
        What :func:`classify` said; callers may have set rows to NULL to leave them out.

    Returns
    -------
    ndarray of float64, shape (n,)
        The double nearest to each INTEGRAL, FRACTIONAL or LOOSE text (``- 5`` is −5; too large gives
        ±infinity), NaN for all others.

    Notes ----- Arrow's C++ parser does the work. Texts it does not know (white space, an explicit plus) are
    cleaned first.
    """
    n = int(offsets.shape[0]) - 1
    result = np.full(n, np.nan)
    is_number = (classes == Lexical.INTEGRAL) | (classes == Lexical.FRACTIONAL) | (classes == Lexical.LOOSE)
    rows = np.flatnonzero(is_number)
    if rows.shape[0] == 0:
        return result
    first = data[offsets[:-1][rows]]
    # Number texts have at least one byte; a sign or blank always has a second.
    after = data[np.minimum(offsets[:-1][rows] + 1, data.shape[0] - 1)]
    last = data[offsets[1:][rows] - 1]
    odd = (first <= ord(" ")) | (first == ord("+")) | (last <= ord(" "))
    odd |= (first == ord("-")) & (after == ord(" "))
    plain = rows[~odd]
    result[plain] = _parsed(_take(offsets, data, plain))
    if plain.shape[0] != rows.shape[0]:
        import pyarrow.compute as pc

        strange = rows[odd]
        texts = pc.replace_substring_regex(_take(offsets, data, strange), r"[ \t\r\n]", "")
        result[strange] = _parsed(pc.utf8_ltrim(texts, "+"))
    return result


def _take(offsets: NDArray[Any], data: NDArray[np.uint8], rows: NDArray[np.intp]) -> pa.Array:
    import pyarrow as pa

    n = int(offsets.shape[0]) - 1
    kind = pa.string() if offsets.dtype == np.int32 else pa.large_string()
    if offsets.dtype not in (np.int32, np.int64):
        offsets = offsets.astype(np.int64)
    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(np.ascontiguousarray(data))]
    texts = pa.Array.from_buffers(kind, n, buffers)
    return texts if rows.shape[0] == n else texts.take(pa.array(rows))


def _parsed(texts: pa.Array) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        # Not to_numpy(), which imports pandas.
        return np.from_dlpack(pc.cast(texts, pa.float64())).astype(np.float64, copy=False)
    except pa.ArrowInvalid:
        # Some Arrow releases refuse what overflows a double; Python says infinity.
        return np.array([float(text) for text in texts.to_pylist()], np.float64)
