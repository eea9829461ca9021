"""Jobs one after another, or on workers."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from tqdm import tqdm

from obsvae.experiments.jobs.deal import deal
from obsvae.experiments.jobs.job import Job, in_time, read_result, restore, run_job
from obsvae.experiments.jobs.workers import Workers
from obsvae.inference import Callback, History


def run_jobs(
    jobs: Sequence[Job],
    workers: Workers | None,
    progress: bool = True,
    *,
    until: float | None = None,
    bar: tqdm | None = None,
) -> None:
    """Run the jobs that have no result yet, with one progress bar over all their epochs.

    An interrupt from the keyboard ends them here: they leave no result then, and are run anew.

    Args:
        jobs: in the order in which they start.
        workers: which run them side by side, see :func:`deal`. None: one after another, in this process.
        progress: show the bar, where standard error is a terminal, and tell how each job ended.
        until: when all shall have ended, in seconds since the epoch of :func:`time.time`: no job is started that would
            take longer, if it took as long as the longest before it. None: all are run.
        bar: the caller's, which counts other jobs, too; None: one of their own.
    """
    for job in jobs:
        restore(job)  # what a kill left
    waiting = [job for job in jobs if not job.has_ended()]
    total = sum(job.epochs for job in jobs)
    own = tqdm(total=total, unit="epoch", disable=None if progress else True) if bar is None else nullcontext(bar)
    with own as shown:
        shown.n += total - sum(job.epochs for job in waiting)
        before = shown.n

        def show(epochs: int) -> None:
            """Show how many epochs of jobs that have not ended have."""
            shown.n = before + epochs
            shown.refresh()

        def ended(job: Job) -> None:
            nonlocal before
            before += job.epochs
            result = read_result(job.out)
            assert result is not None
            if progress:
                shown.write(f"{job.name}: {result['status']}")

        try:
            if workers is not None:
                deal(waiting, workers, until, show, ended)
            else:
                for job in in_time(waiting, until):
                    run_job(job, [_AfterEpoch(show)])
                    ended(job)
            show(0)
        finally:
            for job in waiting:
                restore(job)


class _AfterEpoch(Callback):
    def __init__(self, show: Callable[[int], None]) -> None:
        self.show = show

    def on_epoch(self, history: History) -> None:
        self.show(len(history))
