"""How often bounds are exceeded, on long series of each kind."""

from tests.operators.series import POINTS, SERIES, misses

ALPHAS = (0.01, 0.05, 0.2)
HORIZONS = (1, 10, 60)


def main() -> None:
    print(f"share of misses over {POINTS:,} points, trend(60) and calibrated(horizon, alpha, window=600)")
    print(f"{'series':<18}{'alpha':>7}" + "".join(f"{f'{h} s ahead':>13}" for h in HORIZONS))
    for alpha in ALPHAS:
        for name, make in SERIES.items():
            shares = misses(make(), HORIZONS, alpha=alpha)
            print(f"{name:<18}{alpha:>7.2f}" + "".join(f"{share:>13.4f}" for share in shares))
    print()


if __name__ == "__main__":
    main()
