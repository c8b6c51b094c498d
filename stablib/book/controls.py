"""The controls: what a referee would want to see beside Figures 1, 4, 5 and 8, as smaller tables."""

from __future__ import annotations

from dataclasses import replace

from stablib.training import Sweep, TrainingRun

from .specs import FIG1, FIG4, MNIST, SEEDS

# --- Fig. 1: is it the minimum that a large step wants, or the way there? And is it only the sharpness?
_SMALL = FIG1.only(step_size=0.004)
FIG1_CONTROLS = Sweep(
    "fig1_controls",
    (
        *(replace(run, step_size=0.4, after=run) for run in _SMALL.runs),
        *_SMALL.also(scale=(0.5, 0.7, 1.0, 1.4, 2.0, 2.8)).runs,
    ),
)

# --- Fig. 4, at the paper's start: scale 10 with warm-up.
_SYNTHETIC = FIG4.only(step_size=0.1, scale=10.0, warmup=2_000, data_seed=0, seed=0).runs[0]
_FEW = (0.005, 0.02, 0.1, 0.3)

FIG4_LABELS = Sweep(
    "fig4_labels",
    tuple(
        replace(_SYNTHETIC, step_size=step_size, seed=seed, **labels)
        for labels in (
            {},
            {"target_seed": 1},
            {"target_seed": 2},
            {"targets": "teacher"},
            {"target_scale": 3.0},
        )
        for step_size in _FEW
        for seed in SEEDS
    ),
)
FIG4_BIASES = Sweep.grid(
    "fig4_biases",
    _SYNTHETIC,
    biases=("free", "zero", "frozen"),
    scale=(3.0, 10.0),
    step_size=_FEW,
    seed=SEEDS,
)
FIG4_STOPPING = Sweep.grid(
    "fig4_stopping",
    replace(_SYNTHETIC, limit=3_000_000),
    tol=(1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14),
    step_size=(0.02, 0.1, 0.3),
    seed=SEEDS,
)
# By ten, once the loss is below 1e-2 or 1e-6, or never.
FIG4_DECAY = Sweep(
    "fig4_decay",
    tuple(
        run
        for step_size in (0.02, 0.1, 0.3)
        for seed in SEEDS
        for never in [replace(_SYNTHETIC, step_size=step_size, seed=seed)]
        for run in (
            never,
            *(
                replace(never, step_size=step_size / 10, warmup=0, after=replace(never, tol=tol))
                for tol in (1e-2, 1e-6)
            ),
        )
    ),
)
FIG4_WIDTH = Sweep.grid(
    "fig4_width", _SYNTHETIC, k=(40, 100, 400), step_size=(0.02, 0.1, 0.3), seed=SEEDS
)

# --- Fig. 5. The long patience of the figure serves no purpose where only the minimum is looked at.
_BRIEF = replace(MNIST, patience=100)
FIG5_BATCHES = Sweep(
    "fig5_batches",
    tuple(
        replace(_BRIEF, step_size=step_size, batch_size=size, sampling=sampling, limit=limit)
        for size, limit in ((1, 4_000), (4, 10_000), (16, 20_000), (64, 40_000), (512, 60_000))
        for step_size in (0.005, 0.02, 0.1)
        for sampling in ("uniform", "epoch")
        if size < 512 or sampling == "epoch"
    ),
)
FIG5_CENTRED = Sweep.grid(
    "fig5_centred",
    replace(_BRIEF, centred=True, limit=20_000),
    step_size=(0.002, 0.005, 0.02, 0.05, 0.1),
)
FIG5_SPLITS = Sweep.grid(
    "fig5_splits",
    replace(_BRIEF, limit=40_000),
    step_size=(0.002, 0.01, 0.05, 0.2),
    data_seed=range(10),
)
# The smallest of these steps, stopped early.
FIG5_EARLY = Sweep.grid(
    "fig5_early",
    replace(MNIST, patience=0, step_size=0.002, limit=40_000),
    tol=(1e-1, 1e-2, 1e-3, 1e-4),
    data_seed=range(10),
)

# --- Fig. 8: weights and biases, or weights only.
FIG8_SCALED = Sweep.grid(
    "fig8_scaled",
    replace(_BRIEF, scaled="weights", limit=20_000),
    scale=(5.0, 10.0, 15.0),
    step_size=(0.002, 0.01, 0.05, 0.2),
)

CONTROLS = (
    FIG1_CONTROLS,
    FIG4_LABELS,
    FIG4_BIASES,
    FIG4_STOPPING,
    FIG4_DECAY,
    FIG4_WIDTH,
    FIG5_BATCHES,
    FIG5_CENTRED,
    FIG5_SPLITS,
    FIG5_EARLY,
    FIG8_SCALED,
)


def base(name: str) -> TrainingRun:
    """The run that is varied in a table: of "fig4" or of "fig8"."""
    return {"fig4": _SYNTHETIC, "fig8": replace(_BRIEF, limit=40_000)}[name]
