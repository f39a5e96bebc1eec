"""The polynomials of crates/tensor/src/math that come from no library: minimax fits by Remez's exchange algorithm.

    pip install mpmath
    python polynomials.py

prints each as Rust, lowest power first, with the largest weighted error of the rounded coefficients. `math/exp.rs` and
`math/erf.rs` hold what is printed.
"""

import struct

from mpmath import cos, erf, erfc, exp, expm1, lu_solve, matrix, mp, mpf, pi, sqrt

mp.dps = 60


def polynomial(coefficients, x):
    value = mpf(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def remez(function, weight, low, high, degree):
    """Coefficients that minimise max |weight(x)·(p(x) − function(x))| on low..high."""
    n = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (n - 1)) for i in range(n)]
    grid = [(low + high) / 2 - (high - low) / 2 * cos(pi * i / (40 * n)) for i in range(40 * n + 1)]
    values = [(x, function(x), weight(x)) for x in grid]
    for _ in range(12):
        system, right = matrix(n, n), matrix(n, 1)
        for i, x in enumerate(points):
            for k in range(degree + 1):
                system[i, k] = x**k
            system[i, degree + 1] = (-1) ** i / weight(x)
            right[i] = function(x)
        solution = lu_solve(system, right)
        coefficients = [solution[k] for k in range(degree + 1)]
        errors = [(x, w * (polynomial(coefficients, x) - f)) for x, f, w in values]
        # One extremum between two changes of sign.
        extrema = [errors[0]]
        for x, error in errors[1:]:
            if (error > 0) == (extrema[-1][1] > 0):
                if abs(error) > abs(extrema[-1][1]):
                    extrema[-1] = (x, error)
            else:
                extrema.append((x, error))
        if len(extrema) < n:
            raise ValueError("the error does not alternate often enough")
        while len(extrema) > n:
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        points = [x for x, _ in extrema]
    return coefficients, values


def rounded(value, kind):
    return struct.unpack(kind, struct.pack(kind, float(value)))[0]


def show(name, kind, function, weight, low, high, degree):
    """kind is struct's letter: f or d."""
    coefficients, values = remez(function, weight, mpf(low), mpf(high), degree)
    coefficients = [rounded(c, kind) for c in coefficients]
    error = max(abs(w * (polynomial([mpf(c) for c in coefficients], x) - f)) for x, f, w in values)
    digits = 9 if kind == "f" else 17
    print(f"// {name}: error {float(error):.2e}")
    print(f"[{', '.join(f'{c:.{digits}g}' for c in coefficients)}]")


TINY = mpf("1e-20")


def exp_tail(r):
    """(eʳ − 1 − r)/r²"""
    if abs(r) < TINY:
        return mpf(1) / 2 + r / 6
    return (expm1(r) - r) / r**2


def erf_tail(s):
    """erf(x)/x − 1 with s = x²"""
    s = max(s, TINY)
    return erf(sqrt(s)) / sqrt(s) - 1


def mills(center):
    """(x + center)·½·erfc(x/√2)·e^(x²/2) as a function of u = (x − center)/(x + center)"""

    def function(u):
        x = center * (1 + u) / (1 - u)
        return (x + center) * erfc(x / sqrt(2)) * exp(x * x / 2) / 2

    return function


if __name__ == "__main__":
    half = mpf("0.3466")  # ln 2 / 2, and a little more
    floor = mpf("1e-3")  # of the weight, which is 0 at 0
    relative = lambda r: max(r**2 / abs(expm1(r)), floor) if abs(r) > TINY else floor
    show("exp tail, f64", "d", exp_tail, relative, -half, half, 10)
    for kind, degree in (("f", 6), ("d", 13)):
        show(f"erf tail, {kind}", kind, erf_tail, lambda s: 1 / (1 + erf_tail(s)), 0, 1, degree)
    for kind, reach, center, degree in (("f", 15, 4, 9), ("d", 40, 5, 21)):
        function = mills(mpf(center))
        high = mpf(reach - center) / (reach + center)
        show(f"Mills ratio, {kind}", kind, function, lambda u: 1 / function(u), -1, high, degree)
