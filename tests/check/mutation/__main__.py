"""``python -m tests.check.mutation``: make many mistakes and print the report."""

from __future__ import annotations

import click

from tests.check.mutation import kinds, report, samples, trials
from tests.check.mutation.native_samples import native_samples
from tests.check.mutation.trials import Trial


@click.command()
@click.option("--seed", default=1, show_default=True, help="Other seeds make other mistakes.")
@click.option("--count", default=500, show_default=True, help="How many.")
@click.option("--python", is_flag=True, help="Mistakes in the code of Python models only.")
@click.option("--native", is_flag=True, help="What the ONNX Runtime backend judges only.")
def main(seed: int, count: int, python: bool, native: bool) -> None:
    """Compare check with the real server on random mistakes.

    Example: PYTHONPATH=build-support:. python -m tests.check.mutation --seed 2
    """
    results: list[Trial] = []
    chosen = samples.python_samples() if python else samples.all_samples()
    shares = kinds.PYTHON_KINDS if python else kinds.KINDS
    if native:
        chosen, shares = native_samples(), kinds.NATIVE_KINDS
    running = trials.run(chosen, seed, count, shares)
    with click.progressbar(running, length=count, label="mistakes") as progress:
        results += progress
    for line in report.lines(results, shares):
        click.echo(line)


if __name__ == "__main__":
    main()
