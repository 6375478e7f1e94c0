"""``python -m tests.check.mutation``: make many mistakes and print the report."""

from __future__ import annotations

import click

from tests.check.mutation import report, samples, trials
from tests.check.mutation.trials import Trial


@click.command()
@click.option("--seed", default=1, show_default=True, help="Other seeds make other mistakes.")
@click.option("--count", default=500, show_default=True, help="How many.")
def main(seed: int, count: int) -> None:
    """Compare check with the real server on random mistakes.

    Example: PYTHONPATH=build-support:. python -m tests.check.mutation --seed 2
    """
    results: list[Trial] = []
    running = trials.run(samples.all_samples(), seed, count)
    with click.progressbar(running, length=count, label="mistakes") as progress:
        results += progress
    for line in report.lines(results):
        click.echo(line)


if __name__ == "__main__":
    main()
