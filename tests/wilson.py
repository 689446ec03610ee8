"The interval of Wilson (1927), written out, so that ours are tested against another hand."


def wilson(k: int, n: int, quantile: float) -> tuple[float, float]:
    "Low and high of a share k / n; the quantile is of the normal or of Student's distribution."
    share, weight = k / n, quantile**2 / n
    half = quantile * (share * (1 - share) / n + weight / (4 * n)) ** 0.5
    return (share + weight / 2 - half) / (1 + weight), (share + weight / 2 + half) / (1 + weight)
