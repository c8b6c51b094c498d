"""A sweep on a cluster: a real one of dask.distributed, on this machine."""

import sys
from pathlib import Path

import joblib
import numpy as np
from distributed import Client, LocalCluster
from toy_runs import Toy, executed

from stablib.training import Sweep, TrainingRun, sweep


def test_a_sweep_runs_on_a_cluster_and_gives_the_table_of_one_process(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)  # where the workers find Toy
    log = str(tmp_path / "log")
    toys = Sweep.grid("toy", Toy(step_size=1.0, log=log), networks={}, seed=range(6))
    base = TrainingRun("gaussian", n=12, k=8, step_size=0.1, d=3)
    runs = Sweep.grid("runs", base, step_size=(0.05, 0.1), seed=range(2))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        workers = client.run(lambda: sys.executable)
        with joblib.parallel_config("dask"):
            far = sweep(toys, root=tmp_path / "far", progress=False)
            trained = sweep(runs, root=tmp_path / "far", progress=False)
    assert len(workers) == 2 and sorted(executed(log)) == sorted(run.hash for run in toys.runs)
    with joblib.parallel_config("threading", n_jobs=1):
        near = sweep(toys, root=tmp_path / "near", progress=False)
        again = sweep(runs, root=tmp_path / "near", progress=False)
    assert [*far] == [*near] and far.networks.keys() == near.networks.keys()
    for name in ("sharpness", "stability_norm", "steps"):
        np.testing.assert_allclose(trained[name], again[name], rtol=1e-9)
