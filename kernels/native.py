"""The compiled loops. The only module that imports Numba; loaded by :mod:`driftline.kernels.compiled` when it pays.

Plain loops over caller-owned arrays: nothing is allocated, nothing is raised, the GIL is not held. Each has a NumPy
twin that does the same in whole-array steps (named in its docstring) and must leave the same bits.

Blocks are handed on as slices and looped from zero: ``for i in range(lo, hi)`` over a whole array keeps Numba's
negative-index wraparound, which stops LLVM from vectorising (2.5 against 0.5 ns per value).
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["KERNELS"]

BLOCK = 1024
NOWHERE = np.int64(0x7FFFFFFFFFFFFFFF)
EMPTY = np.int64(-0x8000000000000000)
MASK = np.int64(0x7FFFFFFFFFFFFFFF)
EXPONENT = np.int64(0x7FF0000000000000)
MIX = np.uint64(0xD6E8FEB86659FD93)
GOLDEN = np.uint64(0x9E3779B97F4A7C15)
WORD_1 = np.uint64(0xFF51AFD7ED558CCD)
WORD_2 = np.uint64(0xC4CEB9FE1A85EC53)
LONG = np.uint64(0xA0761D6478BD642F)
U0, U1, U6, U7, U8, U29, U32, U56, U1023 = (np.uint64(k) for k in (0, 1, 6, 7, 8, 29, 32, 56, 1023))
ONES = np.uint64(0x0101010101010101)

# Rows of Tally.counts and Tally.places (kernels.tally.Sort); a test holds them to that enum.
NULL, NAN, POSITIVE_INFINITY, NEGATIVE_INFINITY, INTEGRAL, FRACTIONAL = 0, 1, 2, 3, 4, 5
ZERO, NEGATIVE = 10, 11
N_PLACES = 8

# meta: the numbers a fold carries from chunk to chunk.
SHIFT, USED, CAPACITY, SAMPLING, LEVEL, KEPT, SAMPLE_CAPACITY = 0, 1, 2, 3, 4, 5, 6

OFFSET_VALUES = 1088
OFFSET_SQUARES = 2176


@intrinsic
def fused(typing_context, a, b, c):
    """Return ``a * b + c`` rounded once."""
    signature = types.float64(types.float64, types.float64, types.float64)

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return signature, generate


@intrinsic
def word_at(typing_context, array, index):
    """Load eight bytes of a uint8 array from any offset as one little-endian word."""
    from llvmlite import ir

    signature = types.uint64(array, types.int64)

    def generate(context, builder, signature, arguments):
        from numba.core import cgutils

        struct = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = cgutils.pointer_add(builder, struct.data, arguments[1])
        pointer = builder.bitcast(pointer, ir.IntType(64).as_pointer())
        load = builder.load(pointer)
        load.align = 1
        return load

    return signature, generate


@intrinsic
def bits_of(typing_context, x):
    """Return the IEEE 754 bits of a double as int64."""
    from llvmlite import ir

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def double_of(typing_context, bits):
    """Return the double with these IEEE 754 bits."""
    from llvmlite import ir

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


# Numba infers the types; the helpers are inlined by LLVM into the few entry points below.
helper = njit(nogil=True, error_model="numpy", boundscheck=False)
entry = njit(nogil=True, error_model="numpy", boundscheck=False)


@helper
def power_of_two(e):
    """Return 2**e, for e within the normal range."""
    return double_of((e + 1023) << 52)


@helper
def deposit(limbs, value, exponent):
    """Add ``value * 2**exponent`` to limbs of 32 bits; `exponent` is counted from the lowest limb's bit 0."""
    i = exponent >> 5
    r = exponent & 31
    low = (value & 0xFFFFFFFF) << r
    high = (value >> 32) << r
    limbs[i] += low & 0xFFFFFFFF
    limbs[i + 1] += (low >> 32) & 0xFFFFFFFF
    limbs[i + 1] += high & 0xFFFFFFFF
    limbs[i + 2] += high >> 32


@helper
def carry(limbs):
    """Bring every limb but the last into [0, 2**32), so that the next chunk cannot overflow one."""
    for i in range(limbs.shape[0] - 1):
        over = limbs[i] >> 32
        limbs[i] -= over << 32
        limbs[i + 1] += over


@helper
def sums_by_value(block, values, squares):
    """Add every value and its square from mantissa and exponent: exact for all finite doubles, 10 ns each."""
    bits = block.view(np.int64)
    for i in range(block.shape[0]):
        t = bits[i]
        e = (t >> 52) & 0x7FF
        m = t & 0xFFFFFFFFFFFFF
        if e:
            m |= 0x10000000000000
            e -= 1
        # value = m * 2**(e - 1074)
        deposit(values, -m if t < 0 else m, e - 1074 + OFFSET_VALUES)
        high = m >> 27
        low = m & 0x7FFFFFF
        base = 2 * (e - 1074) + OFFSET_SQUARES
        deposit(squares, high * high, base + 54)
        deposit(squares, high * low, base + 28)
        deposit(squares, low * low, base)


@helper
def sums_of_block(block, values, squares):
    """Add up to 1,024 finite doubles and their squares exactly (twin: exact.sum_of_values, sum_of_squares).

    All values of a block are cut on one grid into integers of at most 52 bits, which int64 sums without overflow: a
    high word, and a low word for what is left. The product and its rounding error (one fused multiply-add) are cut the
    same way. Whatever does not fit (a value some 2**37 below the block's largest, or near the ends of the exponent
    range) sends the block to :func:`sums_by_value`.
    """
    n = block.shape[0]
    bits = block.view(np.int64)
    top = np.int64(0)
    for i in range(n):
        top = max(top, bits[i] & MASK)
    if top == 0:
        return
    emax = (top >> 52) - 1022  # every |x| < 2**emax
    if emax > 480 or emax < -400:
        sums_by_value(block, values, squares)
        return
    e1 = ((emax - 37) >> 4) << 4
    q1 = power_of_two(e1)
    i1 = power_of_two(-e1)
    i2 = power_of_two(52 - e1)
    f1 = ((2 * emax - 37) >> 4) << 4
    p1 = power_of_two(f1)
    j1 = power_of_two(-f1)
    j2 = power_of_two(52 - f1)
    two52 = 4503599627370496.0
    high = np.int64(0)
    low = np.int64(0)
    left = np.int64(0)
    for i in range(n):
        x = block[i]
        h = np.rint(x * i1)
        r = fused(-h, q1, x) * i2
        g = np.rint(r)
        left |= np.int64(r != g)
        high += np.int64(h)
        low += np.int64(g)
    if left:
        sums_by_value(block, values, squares)
        return
    shigh = np.int64(0)
    slow = np.int64(0)
    ehigh = np.int64(0)
    elow = np.int64(0)
    for i in range(n):
        x = block[i]
        p = x * x
        e = fused(x, x, -p)
        h = np.rint(p * j1)
        r = fused(-h, p1, p) * j2
        g = np.rint(r)
        s = e * j2
        t = np.rint(s)
        u = (s - t) * two52
        v = np.rint(u)
        left |= np.int64(r != g) | np.int64(u != v)
        shigh += np.int64(h)
        slow += np.int64(g)
        ehigh += np.int64(t)
        elow += np.int64(v)
    if left:
        sums_by_value(block, values, squares)
        return
    deposit(values, high, e1 + OFFSET_VALUES)
    deposit(values, low, e1 - 52 + OFFSET_VALUES)
    deposit(squares, shigh, f1 + OFFSET_SQUARES)
    deposit(squares, slow, f1 - 52 + OFFSET_SQUARES)
    deposit(squares, ehigh, f1 - 52 + OFFSET_SQUARES)
    deposit(squares, elow, f1 - 104 + OFFSET_SQUARES)


@helper
def mixed(h):
    h = h ^ (h >> U32)
    h = h * MIX
    h = h ^ (h >> U32)
    h = h * MIX
    return h ^ (h >> U32)


@helper
def slot_bits(size):
    bits = np.int64(0)
    while (np.int64(1) << bits) < size:
        bits += 1
    return bits


@helper
def count_into(keys, counts, bits, key, amount):
    """Add to the count of `key` in an open table of ``2**bits`` slots; return 1 if the key is new."""
    mask = keys.shape[0] - 1
    h = np.int64((np.uint64(key) * GOLDEN) >> np.uint64(64 - bits))
    while True:
        k = keys[h]
        if k == key:
            counts[h] += amount
            return 0
        if k == EMPTY:
            keys[h] = key
            counts[h] = amount
            return 1
        h = (h + 1) & mask


@helper
def is_valid(validity, bit):
    return (validity[bit >> 3] >> (bit & 7)) & 1


@helper
def compact(raw, validity, bit, buffer):
    """Copy the valid values of a block together; return how many there are.

    Eight rows share a byte of the bitmap, and most bytes are full.
    """
    n = raw.shape[0]
    m = np.int64(0)
    if bit & 7:
        for i in range(n):
            buffer[m] = raw[i]
            m += is_valid(validity, bit + i)
        return m
    first = bit >> 3
    whole = n >> 3
    for k in range(whole):
        byte = validity[first + k]
        at = k << 3
        if byte == 255:
            for j in range(8):
                buffer[m + j] = raw[at + j]
            m += 8
        else:
            for j in range(8):
                buffer[m] = raw[at + j]
                m += (byte >> j) & 1
    for i in range(whole << 3, n):
        buffer[m] = raw[i]
        m += is_valid(validity, bit + i)
    return m


@helper
def clear(keys):
    for i in range(keys.shape[0]):
        keys[i] = EMPTY


@helper
def key_bits(value):
    """Return the ordering key of a finite double that is not -0.0."""
    bits = bits_of(value)
    return bits ^ ((bits >> 63) & MASK)


@helper
def fits(keys, spare_keys, spare_counts, bits, meta, more, ahead, validity, bit):
    """Tell whether the table's keys and the values `ahead` occupy no more cells than allowed at ``shift + more``."""
    capacity = meta[CAPACITY]
    shift = meta[SHIFT] + more
    clear(spare_keys)
    used = np.int64(0)
    for i in range(keys.shape[0]):
        if keys[i] != EMPTY:
            used += count_into(spare_keys, spare_counts, bits, keys[i] >> more, np.int64(1))
            if used > capacity:
                return False
    for i in range(ahead.shape[0]):
        if bit >= 0 and not is_valid(validity, bit + i):
            continue
        value = np.float64(ahead[i]) + 0.0
        if (bits_of(value) & EXPONENT) == EXPONENT:
            continue
        used += count_into(spare_keys, spare_counts, bits, key_bits(value) >> shift, np.int64(1))
        if used > capacity:
            return False
    return True


@helper
def collapse(keys, counts, spare_keys, spare_counts, meta, ahead, validity, bit):
    """Go to the smallest shift at which the table, and the rest of the chunk, fit.

    Looking ahead changes nothing in the end, since the rest of the chunk will be counted anyway, but saves the dozen
    rebuilds that a growing sample of continuous data would ask for.
    """
    bits = slot_bits(keys.shape[0])
    most = 63 - meta[SHIFT]
    step = np.int64(1)
    while step < most and not fits(keys, spare_keys, spare_counts, bits, meta, step, ahead, validity, bit):
        step *= 2
    low = step // 2 + 1
    high = min(step, most)
    while low < high:
        middle = (low + high) // 2
        if fits(keys, spare_keys, spare_counts, bits, meta, middle, ahead, validity, bit):
            high = middle
        else:
            low = middle + 1
    clear(spare_keys)
    used = np.int64(0)
    for i in range(keys.shape[0]):
        if keys[i] != EMPTY:
            used += count_into(spare_keys, spare_counts, bits, keys[i] >> low, counts[i])
    for i in range(keys.shape[0]):
        keys[i] = spare_keys[i]
        counts[i] = spare_counts[i]
    meta[SHIFT] += low
    meta[USED] = used


@helper
def level_limit(meta):
    """Return the largest hash that the present level keeps."""
    if meta[LEVEL] == 0:
        return np.uint64(0xFFFFFFFFFFFFFFFF)
    return (U1 << np.uint64(64 - meta[LEVEL])) - U1


@helper
def put(hashes, hash_counts, h, amount):
    """Add to the count of a hash in the table of the sample; return 1 if it is new.

    Slots are found by the low bits, levels use the high ones. Kept short: LLVM must inline it (6 against 22 ns).
    """
    mask = np.uint64(hashes.shape[0] - 1)
    i = h & mask
    while True:
        if hash_counts[i] == 0:
            hashes[i] = h
            hash_counts[i] = amount
            return 1
        if hashes[i] == h:
            hash_counts[i] += amount
            return 0
        i = (i + U1) & mask


@helper
def tighten(hashes, hash_counts, meta):
    """Raise the level until the sample is within its capacity."""
    while meta[KEPT] > meta[SAMPLE_CAPACITY]:
        meta[LEVEL] += 1
        thin(hashes, hash_counts, meta)


@helper
def thin(hashes, hash_counts, meta):
    """Drop the hashes that the new level excludes, in place.

    One sweep that starts behind an empty slot: every entry is taken out and, if it stays, put into the first free slot
    from its home on, which is never ahead of the sweep.
    """
    mask = np.uint64(hashes.shape[0] - 1)
    begin = U0
    while hash_counts[begin]:
        begin += U1
    kept = np.int64(0)
    for step in range(hashes.shape[0]):
        i = (begin + np.uint64(step)) & mask
        amount = hash_counts[i]
        if amount:
            h = hashes[i]
            hash_counts[i] = 0
            if (h >> np.uint64(64 - meta[LEVEL])) == U0:
                j = h & mask
                while hash_counts[j]:
                    j = (j + U1) & mask
                hashes[j] = h
                hash_counts[j] = amount
                kept += 1
    meta[KEPT] = kept


@helper
def start_sampling(keys, counts, hashes, hash_counts, meta):
    """Begin the sample of distinct values from the table, which at shift 0 still is the exact multiset."""
    meta[SAMPLING] = 1
    for i in range(keys.shape[0]):
        if keys[i] != EMPTY:
            key = keys[i]
            bits = key ^ ((key >> 63) & MASK)
            h = mixed(np.uint64(bits))
            if h <= level_limit(meta) and put(hashes, hash_counts, h, counts[i]):
                meta[KEPT] += 1
                tighten(hashes, hash_counts, meta)


@helper
def note(places, sort, row):
    """Remember a row of one sort, smallest eight, ascending."""
    if row >= places[sort, N_PLACES - 1]:
        return
    j = N_PLACES - 1
    while j > 0 and places[sort, j - 1] > row:
        places[sort, j] = places[sort, j - 1]
        j -= 1
    places[sort, j] = row


@entry
def fold_doubles(
    x, validity, bit_offset, first_row, counts, places, extremes, values, squares, meta,
    keys, cell_counts, spare_keys, spare_counts, hashes, hash_counts, buffer,
):  # fmt: skip
    """Fold a chunk of float64 into Tally, Moments, Distribution and Distinct (twin: numbers.Numbers.update).

    Parameters
    ----------
    x : float64, shape (n,)
    validity : uint8
        Arrow validity bitmap; ignored where `bit_offset` is negative.
    bit_offset : int64
        Bit of the first row in `validity`, or -1 where every row is valid.
    first_row : int64
        Row number of ``x[0]``.
    counts, places : int64, shapes (14,) and (14, 8)
        Tally, added to.
    extremes : int64, shape (2,)
        Smallest and largest key.
    values, squares : int64
        Limbs of the exact sums.
    meta : int64, shape (7,)
        Shift, used slots, capacity, sampling, level, kept, capacity of the sample.
    keys, cell_counts, spare_keys, spare_counts : int64, shape (2**k,)
        Table of cells, and room to rebuild it.
    hashes : uint64, hash_counts : int64, shape (2**j,)
        Table of the sample.
    buffer : float64, shape (1024,)
    """
    bits = slot_bits(keys.shape[0])
    capacity = meta[CAPACITY]
    n = x.shape[0]
    for start in range(0, n, BLOCK):
        raw = x[start : start + BLOCK]
        rows = raw.shape[0]
        raw_bits = raw.view(np.int64)
        odd = np.int64(0)
        for i in range(rows):
            odd += np.int64((raw_bits[i] & EXPONENT) == EXPONENT)
        # The buffer takes what is valid and finite, with -0.0 turned into 0.0.
        m = np.int64(0)
        gaps = False
        if bit_offset < 0 and odd == 0:
            m = rows
            for i in range(rows):
                buffer[i] = raw[i] + 0.0
        elif odd == 0:
            m = compact(raw, validity, bit_offset + start, buffer)
            for i in range(m):
                buffer[i] += 0.0
            gaps = m < rows
            counts[NULL] += rows - m
            if gaps and places[NULL, N_PLACES - 1] > first_row + start:
                for i in range(rows):
                    if not is_valid(validity, bit_offset + start + i):
                        note(places, NULL, first_row + start + i)
        else:
            gaps = bit_offset >= 0
            for i in range(rows):
                if gaps and not is_valid(validity, bit_offset + start + i):
                    counts[NULL] += 1
                    note(places, NULL, first_row + start + i)
                    continue
                if (raw_bits[i] & EXPONENT) == EXPONENT:
                    sort = POSITIVE_INFINITY
                    if raw_bits[i] & 0xFFFFFFFFFFFFF:
                        sort = NAN
                    elif raw_bits[i] < 0:
                        sort = NEGATIVE_INFINITY
                    counts[sort] += 1
                    note(places, sort, first_row + start + i)
                    continue
                buffer[m] = raw[i] + 0.0
                m += 1
        if m == 0:
            continue
        block = buffer[:m]
        zeros = np.int64(0)
        negatives = np.int64(0)
        wholes = np.int64(0)
        for i in range(m):
            zeros += np.int64(block[i] == 0.0)
            negatives += np.int64(block[i] < 0.0)
            wholes += np.int64(np.floor(block[i]) == block[i])
        counts[ZERO] += zeros
        counts[NEGATIVE] += negatives
        counts[INTEGRAL] += wholes
        counts[FRACTIONAL] += m - wholes
        last_row = first_row + start
        if (negatives and places[NEGATIVE, N_PLACES - 1] > last_row) or (
            m > wholes and places[FRACTIONAL, N_PLACES - 1] > last_row
        ):
            for i in range(rows):
                if gaps and not is_valid(validity, bit_offset + start + i):
                    continue
                v = raw[i]
                if (raw_bits[i] & EXPONENT) == EXPONENT:
                    continue
                if v < 0.0:
                    note(places, NEGATIVE, first_row + start + i)
                if np.floor(v) != v:
                    note(places, FRACTIONAL, first_row + start + i)
        sums_of_block(block, values, squares)
        block_bits = block.view(np.int64)
        low = NOWHERE
        high = EMPTY
        for i in range(m):
            key = block_bits[i] ^ ((block_bits[i] >> 63) & MASK)
            low = min(low, key)
            high = max(high, key)
        extremes[0] = min(extremes[0], low)
        extremes[1] = max(extremes[1], high)
        begin = 0
        shift = meta[SHIFT]
        used = meta[USED]
        for i in range(m):
            key = block_bits[i] ^ ((block_bits[i] >> 63) & MASK)
            if count_into(keys, cell_counts, bits, key >> shift, np.int64(1)):
                used += 1
                if used > capacity:
                    if not meta[SAMPLING]:
                        start_sampling(keys, cell_counts, hashes, hash_counts, meta)
                        begin = i + 1
                    bit = bit_offset + start if bit_offset >= 0 else np.int64(-1)
                    collapse(keys, cell_counts, spare_keys, spare_counts, meta, x[start:], validity, bit)
                    shift = meta[SHIFT]
                    used = meta[USED]
        meta[USED] = used
        if meta[SAMPLING]:
            limit = level_limit(meta)
            for i in range(begin, m):
                h = mixed(np.uint64(block_bits[i]))
                if h <= limit:
                    if put(hashes, hash_counts, h, np.int64(1)):
                        meta[KEPT] += 1
                        if meta[KEPT] > meta[SAMPLE_CAPACITY]:
                            tighten(hashes, hash_counts, meta)
                            limit = level_limit(meta)
    carry(values)
    carry(squares)


@entry
def fold_integers(
    x, validity, bit_offset, first_row, counts, places, extremes, values, squares, meta,
    keys, cell_counts, spare_keys, spare_counts, hashes, hash_counts, buffer,
):  # fmt: skip
    """Fold a chunk of int64 as :func:`fold_doubles` does; `extremes` holds integers, `buffer` is int64."""
    bits = slot_bits(keys.shape[0])
    capacity = meta[CAPACITY]
    n = x.shape[0]
    for start in range(0, n, BLOCK):
        raw = x[start : start + BLOCK]
        rows = raw.shape[0]
        m = np.int64(rows)
        if bit_offset >= 0:
            m = compact(raw, validity, bit_offset + start, buffer)
            counts[NULL] += rows - m
            if m < rows and places[NULL, N_PLACES - 1] > first_row + start:
                for i in range(rows):
                    if not is_valid(validity, bit_offset + start + i):
                        note(places, NULL, first_row + start + i)
        else:
            for i in range(rows):
                buffer[i] = raw[i]
        if m == 0:
            continue
        block = buffer[:m]
        zeros = np.int64(0)
        negatives = np.int64(0)
        low = NOWHERE
        high = EMPTY
        for i in range(m):
            zeros += np.int64(block[i] == 0)
            negatives += np.int64(block[i] < 0)
            low = min(low, block[i])
            high = max(high, block[i])
        counts[ZERO] += zeros
        counts[NEGATIVE] += negatives
        counts[INTEGRAL] += m
        extremes[0] = min(extremes[0], low)
        extremes[1] = max(extremes[1], high)
        if negatives and places[NEGATIVE, N_PLACES - 1] > first_row + start:
            for i in range(rows):
                if raw[i] < 0 and (bit_offset < 0 or is_valid(validity, bit_offset + start + i)):
                    note(places, NEGATIVE, first_row + start + i)
        small = low > -0x80000000 and high < 0x80000000
        if small:
            total = np.int64(0)
            s_low = np.int64(0)
            s_high = np.int64(0)
            for i in range(m):
                v = block[i]
                p = v * v
                total += v
                s_low += p & 0xFFFFFFFF
                s_high += p >> 32
            deposit(values, total, OFFSET_VALUES)
            deposit(squares, s_low, OFFSET_SQUARES)
            deposit(squares, s_high, OFFSET_SQUARES + 32)
        else:
            v_low = np.int64(0)
            v_high = np.int64(0)
            aa_low = np.int64(0)
            aa_high = np.int64(0)
            ab_low = np.int64(0)
            ab_high = np.int64(0)
            bb_low = np.int64(0)
            bb_high = np.int64(0)
            for i in range(m):
                a = block[i] >> 32
                b = block[i] & 0xFFFFFFFF
                v_high += a
                v_low += b
                aa = a * a
                ab = a * b
                bb = np.uint64(b) * np.uint64(b)
                aa_low += aa & 0xFFFFFFFF
                aa_high += aa >> 32
                ab_low += ab & 0xFFFFFFFF
                ab_high += ab >> 32
                bb_low += np.int64(bb & np.uint64(0xFFFFFFFF))
                bb_high += np.int64(bb >> U32)
            deposit(values, v_low, OFFSET_VALUES)
            deposit(values, v_high, OFFSET_VALUES + 32)
            deposit(squares, bb_low, OFFSET_SQUARES)
            deposit(squares, bb_high, OFFSET_SQUARES + 32)
            deposit(squares, ab_low, OFFSET_SQUARES + 33)
            deposit(squares, ab_high, OFFSET_SQUARES + 65)
            deposit(squares, aa_low, OFFSET_SQUARES + 64)
            deposit(squares, aa_high, OFFSET_SQUARES + 96)
            if not meta[SAMPLING] and (low < -0x20000000000000 or high > 0x20000000000000):
                # From here on a cell may hold several ids, so the distinct values are counted apart.
                start_sampling(keys, cell_counts, hashes, hash_counts, meta)
        begin = 0
        shift = meta[SHIFT]
        used = meta[USED]
        for i in range(m):
            if count_into(keys, cell_counts, bits, key_bits(np.float64(block[i])) >> shift, np.int64(1)):
                used += 1
                if used > capacity:
                    if not meta[SAMPLING]:
                        start_sampling(keys, cell_counts, hashes, hash_counts, meta)
                        begin = i + 1
                    bit = bit_offset + start if bit_offset >= 0 else np.int64(-1)
                    collapse(keys, cell_counts, spare_keys, spare_counts, meta, x[start:], validity, bit)
                    shift = meta[SHIFT]
                    used = meta[USED]
        meta[USED] = used
        if meta[SAMPLING]:
            limit = level_limit(meta)
            for i in range(begin, m):
                v = block[i]
                d = np.float64(v)
                if d < 9223372036854775808.0 and np.int64(d) == v:
                    h = mixed(np.uint64(bits_of(d)))
                else:
                    h = mixed(np.uint64(v) ^ LONG)
                if h <= limit:
                    if put(hashes, hash_counts, h, np.int64(1)):
                        meta[KEPT] += 1
                        if meta[KEPT] > meta[SAMPLE_CAPACITY]:
                            tighten(hashes, hash_counts, meta)
                            limit = level_limit(meta)
    carry(values)
    carry(squares)


@entry
def fold_codes(codes, validity, bit_offset, first_row, code_counts, code_first, counts, places):
    """Count dictionary codes (int32) and note the first row of each (twin: texts_fold, NumPy branch)."""
    for i in range(codes.shape[0]):
        if bit_offset >= 0 and not is_valid(validity, bit_offset + i):
            counts[NULL] += 1
            note(places, NULL, first_row + i)
            continue
        c = codes[i]
        if code_counts[c] == 0:
            code_first[c] = first_row + i
        code_counts[c] += 1


@helper
def text_word(data, at, left):
    """Return the next eight bytes of a text as a word, zero beyond its end."""
    if at + 8 <= data.shape[0]:
        w = word_at(data, at)
        if left < 8:
            w &= (U1 << (U8 * np.uint64(left))) - U1
        return w
    w = U0
    for j in range(min(left, 8)):
        w |= np.uint64(data[at + j]) << (U8 * np.uint64(j))
    return w


@helper
def put_text(hashes, hash_counts, hash_first, hash_source, h, row, source):
    """Count one text in the table (see :func:`put`); return 1 if it is new."""
    mask = np.uint64(hashes.shape[0] - 1)
    i = h & mask
    while True:
        if hash_counts[i] == 0:
            hashes[i] = h
            hash_counts[i] = 1
            hash_first[i] = row
            hash_source[i] = source
            return 1
        if hashes[i] == h:
            hash_counts[i] += 1
            hash_first[i] = min(hash_first[i], row)
            return 0
        i = (i + U1) & mask


@entry
def fold_texts(
    offsets, data, validity, bit_offset, first_row, counts, places, buckets, meta,
    hashes, hash_counts, hash_first, hash_source, lengths,
):  # fmt: skip
    """Fold plain texts into a table of categories (twin: categories.Categories.update).

    ``hash_source[slot]`` becomes the row of this chunk where a text that the table did not hold was met, so that the
    caller can fetch its bytes; entries of earlier chunks keep the negative numbers that the caller gave them.
    ``lengths[i]`` becomes the number of characters of row i, or -1 for a null.
    """
    limit = level_limit(meta)
    for i in range(offsets.shape[0] - 1):
        if bit_offset >= 0 and not is_valid(validity, bit_offset + i):
            counts[NULL] += 1
            note(places, NULL, first_row + i)
            lengths[i] = -1
            continue
        at = np.int64(offsets[i])
        left = np.int64(offsets[i + 1]) - at
        total = np.uint64(left) * LONG
        characters = left
        salt = GOLDEN
        while left > 0:
            w = text_word(data, at, left)
            # Characters are the bytes that do not continue one (binary 10......).
            follow = (w >> U7) & ~(w >> U6) & ONES
            characters -= np.int64((follow * ONES) >> U56)
            w ^= salt
            salt += GOLDEN
            w ^= w >> U32
            w *= WORD_1
            w ^= w >> U29
            w *= WORD_2
            total += w
            at += 8
            left -= 8
        lengths[i] = characters
        h = mixed(total)
        buckets[np.int64(h & U1023)] += 1
        if h <= limit and put_text(
            hashes, hash_counts, hash_first, hash_source, h, first_row + i, np.int64(i)
        ):
            meta[KEPT] += 1
            if meta[KEPT] > meta[SAMPLE_CAPACITY]:
                while meta[KEPT] > meta[SAMPLE_CAPACITY]:
                    meta[LEVEL] += 1
                    thin_texts(hashes, hash_counts, hash_first, hash_source, meta)
                limit = level_limit(meta)


@helper
def thin_texts(hashes, hash_counts, hash_first, hash_source, meta):
    """Drop the texts that the new level excludes, in place (see :func:`thin`)."""
    mask = np.uint64(hashes.shape[0] - 1)
    begin = U0
    while hash_counts[begin]:
        begin += U1
    kept = np.int64(0)
    for step in range(hashes.shape[0]):
        i = (begin + np.uint64(step)) & mask
        amount = hash_counts[i]
        if amount:
            h = hashes[i]
            row = hash_first[i]
            source = hash_source[i]
            hash_counts[i] = 0
            if (h >> np.uint64(64 - meta[LEVEL])) == U0:
                j = h & mask
                while hash_counts[j]:
                    j = (j + U1) & mask
                hashes[j] = h
                hash_counts[j] = amount
                hash_first[j] = row
                hash_source[j] = source
                kept += 1
    meta[KEPT] = kept


@helper
def repeated(x, width, n):
    """Fill x with copies of its first `width` entries, up to n of them in all."""
    done = width
    while done < n:
        step = min(done, n - done)
        source = x[:step]
        target = x[done : done + step]
        for f in range(step):
            target[f] = source[f]
        done += step


@helper
def mixed_in(own, keep, source, out):
    """Write `own`, and of `source` the bits that are kept."""
    for f in range(own.shape[0]):
        out[f] = own[f] | (source[f] & keep[f])


@entry
def write_masked(rows, background, coalitions, place, start, scratch, out):
    """Write rows that take some features from a row and the others from the background (twin: shapley.masked_rows)."""
    width = rows.shape[1]
    n_background = background.shape[0] // width
    n_coalitions = coalitions.shape[0]
    own = scratch[0]
    keep = scratch[1]
    tile = own.shape[0] // width
    total = out.shape[0] // width
    at = 0
    j = start % n_background
    c = start // n_background % n_coalitions
    i = start // (n_background * n_coalitions)
    while at < total:
        take = min(n_background - j, total - at)
        source = background[j * width : (j + take) * width]
        target = out[at * width : (at + take) * width]
        if take < 8:
            for r in range(take):
                for f in range(width):
                    k = np.int64(coalitions[c, place[i, f]]) - 1
                    target[r * width + f] = (rows[i, f] & ~k) | (source[r * width + f] & k)
        else:
            # Masks of several rows at once, so that a run is long enough to be worth vectorising.
            for f in range(width):
                k = np.int64(coalitions[c, place[i, f]]) - 1
                keep[f] = k
                own[f] = rows[i, f] & ~k
            span = min(tile, take) * width
            repeated(own, width, span)
            repeated(keep, width, span)
            n = take * width
            done = 0
            while done + span <= n:
                mixed_in(own[:span], keep[:span], source[done : done + span], target[done : done + span])
                done += span
            if done < n:
                mixed_in(own[: n - done], keep[: n - done], source[done:], target[done:])
        at += take
        j = 0
        c += 1
        if c == n_coalitions:
            c = 0
            i += 1


_i64 = types.int64
_I64 = types.Array(types.int64, 1, "C")
_I64_2 = types.Array(types.int64, 2, "C")
_I32 = types.Array(types.int32, 1, "C", readonly=True)
_U64 = types.Array(types.uint64, 1, "C")
_F64 = types.Array(types.float64, 1, "C")
_IN_F64 = types.Array(types.float64, 1, "C", readonly=True)
_IN_I64 = types.Array(types.int64, 1, "C", readonly=True)
_IN_U8 = types.Array(types.uint8, 1, "C", readonly=True)
_IN_I64_2 = types.Array(types.int64, 2, "C", readonly=True)
_IN_U8_2 = types.Array(types.uint8, 2, "C", readonly=True)

_tables = (_I64, _I64_2, _I64, _I64, _I64, _I64, _I64, _I64, _I64, _I64, _U64, _I64)

KERNELS = {
    "fold_doubles": (fold_doubles, (_IN_F64, _IN_U8, _i64, _i64, *_tables, _F64)),
    "fold_integers": (fold_integers, (_IN_I64, _IN_U8, _i64, _i64, *_tables, _I64)),
    "fold_codes": (fold_codes, (_I32, _IN_U8, _i64, _i64, _I64, _I64, _I64, _I64_2)),
    "fold_texts": (
        fold_texts,
        (_I32, _IN_U8, _IN_U8, _i64, _i64, _I64, _I64_2, _I64, _I64, _U64, _I64, _I64, _I64, _I64),
    ),
    "write_masked": (write_masked, (_IN_I64_2, _IN_I64, _IN_U8_2, _IN_I64_2, _i64, _I64_2, _I64)),
}
"""The entry points with the argument types they are compiled for."""
