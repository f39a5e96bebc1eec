"""Streams, shuffles and uniform initial values of densely, written again from their definitions in plain Python 3.

Run `python3 streams.py`; the numbers it prints stand in the unit tests of random.rs, data/split.rs and initializers.rs.
"""

import math
import struct


def block(key, counter):
    """One block of ChaCha with 8 rounds: 64-bit counter, nonce 0 (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008)."""
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key), counter % 2**32, counter >> 32, 0, 0]
    x = start[:]
    for _ in range(4):  # a double round: columns, then diagonals
        for quarter in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                        (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            a, b, c, d = quarter
            for to, by, rotated, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                x[to] = (x[to] + x[by]) % 2**32
                mixed = x[rotated] ^ x[to]
                x[rotated] = (mixed << bits | mixed >> 32 - bits) % 2**32
    return [(mixed + first) % 2**32 for mixed, first in zip(x, start)]


def stream(seed, purpose, epoch, index):
    """The 32-bit words of a stream."""
    key, counter = struct.pack("<4Q", seed, purpose, epoch, index), 0
    while True:
        yield from block(key, counter)
        counter += 1


WEIGHTS, SHUFFLE, DROPOUT, SPLIT = 1, 2, 3, 4


def next_u64(words):
    low = next(words)
    return low | next(words) << 32


def below(bound, words):
    while True:
        product = next(words) * bound
        if product % 2**32 >= (2**32 - bound) % bound:
            return product >> 32


def shuffled(values, words):
    for last in range(len(values) - 1, 0, -1):
        other = below(last + 1, words)
        values[last], values[other] = values[other], values[last]
    return values


def held_out(labels, shares, seed):
    """The samples held out when each class gives its share."""
    chosen = []
    for label, share in enumerate(shares):
        members = [sample for sample, its_label in enumerate(labels) if its_label == label]
        chosen += shuffled(members, stream(seed, SPLIT, 0, label))[:share]
    return sorted(chosen)


def uniform(limit, words):
    return (next_u64(words) >> 12) / 2**52 * (2 * limit) - limit


print("stream(1, WEIGHTS, 0, 0):", next_u64(stream(1, WEIGHTS, 0, 0)))
print("order of 8, seed 1, epoch 1:", shuffled(list(range(8)), stream(1, SHUFFLE, 1, 0)))
print("held out, 2 of each class:", held_out([0, 1] * 10, [2, 2], 1))
words = stream(7, WEIGHTS, 0, 0)
print("Glorot uniform, 200 and 500:", [uniform(math.sqrt(6 / 700), words) for _ in range(3)])
