"""Jobs done with Ray: what is left of them, and what becomes of it."""

import dataclasses
from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from ae_keras.cluster.connection import address_of, connected
from ae_keras.cluster.manifest import PENDING, Manifest
from ae_keras.cluster.workers import Pool, Worker
from ae_keras.photographs.jobs import STANDARD, Job, Result
from ae_keras.photographs.reports import collect
from ae_keras.photographs.running import run_jobs
from ae_keras.system import notices, storage


def do_jobs(work: Any, jobs: Sequence[Job], arguments: Namespace) -> list[Result]:
    """Do the jobs of a command: in threads of this process or, if it says `ray`, with Ray.

    Args:
        work: `Compression` or `Decompression`.
        jobs: What is to be done.
        arguments: Namespace. Of the command line.

    Returns:
        The results of all jobs.

    Raises:
        ModuleNotFoundError: if Ray is asked for and not installed.
        ValueError: if the arguments do not fit each other.
        OSError: if the cluster cannot be reached, or files not be written.
    """
    if arguments.ray is not None:
        return run_with_ray(work, jobs, arguments)
    doing = run_jobs(work, jobs, arguments.workers, arguments.skip_existing)
    return collect(doing, arguments.report, arguments.force, arguments.skip_existing)


def run_with_ray(work: Any, jobs: Sequence[Job], arguments: Namespace) -> list[Result]:
    """Do jobs on all processors of a cluster, and write a manifest of them.

    What the manifest or the output has is not done again, unless the arguments say `force`.

    Args:
        work: `Compression` or `Decompression`.
        jobs: What is to be done.
        arguments: Namespace. Of the command line: `ray`, `inputs`, `output`, `workers`, `threads`,
            `runtime`, `report` and `force`.

    Returns:
        The results of all jobs; where nothing was done, they are skipped.

    Raises:
        ModuleNotFoundError: if Ray is not installed.
        ValueError: if the arguments do not fit each other.
        OSError: if the cluster cannot be reached, or the output not be written.
    """
    output = _check(arguments, jobs)
    address = address_of(arguments.ray)
    manifest = Manifest(output)
    skipped = [] if arguments.force else _skip_made(jobs, output, manifest)
    made = {result.job for result in skipped}
    left = [job for job in jobs if job not in made]
    try:
        done = list(_do(work, left, address, arguments, manifest)) if left else []
    finally:
        manifest.close()
    return [*skipped, *done]


def _check(arguments: Namespace, jobs: Sequence[Job]) -> str:
    """Return the name of the output."""
    output = storage.plain_name(arguments.output)
    if STANDARD in (*arguments.inputs, output):
        raise ValueError("--ray takes files and folders, and '-' is neither.")
    if output == jobs[0].target:
        raise ValueError(f"--ray fills a folder. For one of that name: {output + '/'!r}")
    if arguments.report:
        raise ValueError("--ray writes a manifest into the output. Leave out --report.")
    if arguments.workers is not None and arguments.workers < 1:
        raise ValueError(f"`workers` must be at least 1. Received: {arguments.workers}")
    return output


def _skip_made(jobs: Sequence[Job], output: str, manifest: Manifest) -> list[Result]:
    """Return results of the jobs whose targets are there; the manifest gets the rows it lacks."""
    there, errors, skipped = storage.list_files(output), manifest.errors(), []
    for job in jobs:
        name = manifest.name_of(job.target)
        # What an interrupted job has made is made again where its row is lost.
        is_lost = errors.get(name) == PENDING
        if name in there and not is_lost and not storage.is_same(job.target, job.source):
            result = Result(job, is_skipped=True, size=there[name])
            notices.note("its output is there, and it was skipped", job.source)
            skipped.append(result)
            if errors.get(name, "no row") is not None:
                manifest.add(result)
    return skipped


def _do(
    work: Any, jobs: Sequence[Job], address: str, arguments: Namespace, manifest: Manifest
) -> Iterator[Result]:
    # Targets that were not there are the job's own, by a worker that died after it wrote them.
    work = dataclasses.replace(work, force=True, progress=False)
    each, workers = arguments.threads or 1, arguments.workers
    with connected(address, workers and workers * each) as ray:
        manifest.begin(jobs)
        cluster = ray.cluster_resources()
        needs = {"num_cpus": each}
        if arguments.runtime == "keras" and cluster.get("GPU"):
            needs["num_gpus"] = 1
        actor = ray.remote(Worker).options(**needs)
        count = workers or max(1, int(cluster.get("CPU", 0)) // each)
        pool = Pool(ray, lambda: actor.remote(work, arguments), jobs, count)
        for result in tqdm(pool.results(), total=len(jobs), unit="file", disable=None):
            notices.add(result.noted)
            manifest.add(result)
            yield result
