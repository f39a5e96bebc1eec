"""Student's intervals and McNemar's test, from their definitions; SciPy has to agree."""

from mpmath import betainc, binomial, erfc, findroot, mpf, sqrt
from scipy import stats

from common import compare, nearest, write

DEGREES = [*range(1, 31), 50, 99, 100, 1000]
RESULTS = [
    [0.981, 0.984, 0.979, 0.983, 0.982],
    [0.0512, 0.0498],
    [1e6 + 0.25, 1e6 - 0.5, 1e6 + 0.125, 1e6],
]
DISCORDANT = [(0, 0), (1, 0), (0, 5), (4, 1), (6, 6), (10, 14), (3, 21), (12, 13), (5, 20), (40, 20), (150, 86), (900, 1000)]
FEW = 25


def t_quantile(degrees):
    """Where I(t² / (ν + t²); ½, ν/2), the chance of a smaller t in either direction, is 95 %."""
    within = lambda t: betainc(mpf(1) / 2, mpf(degrees) / 2, 0, t * t / (degrees + t * t), regularized=True)
    return findroot(lambda t: within(t) - mpf(95) / 100, mpf(stats.t.ppf(0.975, degrees)))


def interval(results):
    results = [mpf(result) for result in results]
    count = len(results)
    mean = sum(results) / count
    deviation = sqrt(sum((result - mean) ** 2 for result in results) / (count - 1))
    half_width = t_quantile(count - 1) * deviation / sqrt(mpf(count))
    return mean, deviation, [mean - half_width, mean + half_width]


def mcnemar(b, c):
    """The statistic, none for the exact test, and the p value."""
    if b + c < FEW:
        tail = sum(binomial(b + c, k) for k in range(min(b, c) + 1))
        return None, min(mpf(1), 2 * tail / mpf(2) ** (b + c))
    statistic = mpf(max(abs(b - c) - 1, 0)) ** 2 / (b + c)
    return statistic, erfc(sqrt(statistic / 2))


def interval_case(results):
    mean, deviation, ends = interval(results)
    found = stats.ttest_1samp(results, 0).confidence_interval(0.95)
    compare(f"interval of {results}", [found.low, found.high], ends)
    return {"results": results, "mean": nearest(mean), "deviation": nearest(deviation), "interval": nearest(ends)}


def mcnemar_case(b, c):
    statistic, p_value = mcnemar(b, c)
    if statistic is None:
        found = stats.binomtest(b, b + c).pvalue if b + c else 1.0
    else:
        found = stats.chi2.sf(float(statistic), 1)
    compare(f"McNemar of {b} and {c}", found, p_value)
    return {"only_first_right": b, "only_second_right": c, "p_value": nearest(p_value),
            "statistic": None if statistic is None else nearest(statistic)}


def t_case(degrees):
    quantile = t_quantile(degrees)
    compare(f"t of {degrees}", stats.t.ppf(0.975, degrees), quantile)
    return {"degrees": degrees, "t": nearest(quantile)}


ABOUT = {
    "t": "the t that a variable of so many degrees of freedom exceeds in either direction with a chance of 5 %",
    "interval": "95 %, Student's",
    "p_value": "exact binomial for fewer than 25 discordant samples, else chi squared with Edwards's correction",
}


def generate():
    cases = [
        *(t_case(degrees) for degrees in DEGREES),
        *(interval_case(results) for results in RESULTS),
        *(mcnemar_case(b, c) for b, c in DISCORDANT),
    ]
    write("confidence", ABOUT, cases)


if __name__ == "__main__":
    generate()
