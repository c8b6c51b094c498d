"""`python -m stablib`, run as a reader runs it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import stablib
from stablib.__main__ import main
from stablib.modules import parameters_of_state

ROOT = Path(__file__).resolve().parents[2]
L, R = torch.nn.Linear, torch.nn.ReLU


def module(seed=0):
    torch.manual_seed(seed)
    return torch.nn.Sequential(L(3, 7), R(), L(7, 1))


@pytest.fixture
def files(tmp_path, monkeypatch):
    """model.pt and data.npz of an interpolating network, in the working directory."""
    monkeypatch.chdir(tmp_path)
    torch.save(module().state_dict(), "model.pt")
    net = stablib.ShallowReLU.from_torch(module())
    X = np.random.default_rng(0).normal(size=(20, 3))
    np.savez("data.npz", X=X, y=net(X))
    return net, X


def run(*words):
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "stablib", *words],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def sentence(capsys, *words):
    """What a call that fails says."""
    try:
        status = main(words)
    except SystemExit as stop:
        status = stop.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, ""), (status, out, err)
    assert err.startswith("stablib: ") and err.count("\n") == 1 and err.endswith("\n")
    return err[9:-1]


def test_a_model_and_its_data_are_diagnosed_and_drawn(files):
    net, X = files
    done = run(
        "diagnose",
        "model.pt",
        "data.npz",
        "--step-size",
        "0.5",
        "--batch-size",
        "4",
        "--plot",
        "slack.png",
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = stablib.diagnose(net, X, net(X), 0.5, 4)
    assert done.stdout.startswith(str(found))
    assert "ReLU" in done.stdout[len(str(found)) :]
    assert Path("slack.png").read_bytes().startswith(b"\x89PNG")


def test_without_options_two_batch_sizes_are_looked_at(files):
    done = run("diagnose", "model.pt", "data.npz")
    assert done.returncode == 0
    assert "batch size 1 " in done.stdout and "batch size 16 " in done.stdout
    assert "2/eta" not in done.stdout


def test_alone_it_prints_its_usage():
    done = run()
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python -m stablib")
    assert "diagnose" in done.stdout


def test_help_says_what_the_files_hold_and_what_the_activation_is_taken_to_be():
    done = run("diagnose", "--help")
    words = " ".join(done.stdout.split())
    assert done.returncode == 0
    for said in (
        "MODEL.pt",
        "DATA.npz",
        "state_dict",
        "taken to be ReLU",
        "--step-size",
        "--plot",
        "(n, d)",
    ):
        assert said in words


def test_bad_input_ends_with_two_and_one_sentence(files):
    done = run("diagnose", "gone.pt", "data.npz")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "stablib: gone.pt cannot be opened: No such file or directory\n"


def test_bad_words_are_one_sentence(files, capsys):
    assert "invalid choice: 'diagnos'" in sentence(capsys, "diagnos")
    assert "required: MODEL.pt, DATA.npz" in sentence(capsys, "diagnose")
    assert "required: DATA.npz" in sentence(capsys, "diagnose", "model.pt")
    good = ("diagnose", "model.pt", "data.npz")
    assert "unrecognized arguments: --stepsize" in sentence(capsys, *good, "--stepsize=1")
    assert "step_size is 0; a positive" in sentence(capsys, *good, "--step-size", "0")
    assert "step_size is -1; a positive" in sentence(capsys, *good, "--step-size=-1")
    assert "--step-size: invalid float value: 'x'" in sentence(capsys, *good, "--step-size", "x")
    assert "step_size has NaN" in sentence(capsys, *good, "--step-size", "nan")
    assert "batch_size is 21, but X has 20 rows" in sentence(capsys, *good, "--batch-size", "21")
    assert "gone/x.png cannot be written" in sentence(capsys, *good, "--plot", "gone/x.png")
    assert "x.foo cannot be written" in sentence(capsys, *good, "--plot", "x.foo")


class Dangerous:
    def __reduce__(self):
        return (Path("ran").touch, ())


def cut(path, share=0.5):
    content = Path(path).read_bytes()
    Path("cut").write_bytes(content[: int(share * len(content))])


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda: Path("bad").mkdir(), "bad cannot be opened: Is a directory"),
        (lambda: Path("bad").write_bytes(b""), "bad cannot be read as tensors"),
        (lambda: Path("bad").write_text("no model"), "bad cannot be read as tensors"),
        (lambda: (cut("model.pt"), Path("cut").rename("bad")), "bad cannot be read as tensors"),
        (lambda: torch.save(module(), "bad"), "a whole module?"),
        (lambda: torch.save({"w": Dangerous()}, "bad"), "bad cannot be read as tensors"),
        (lambda: torch.save(torch.ones(3), "bad"), "bad holds one Tensor; a state_dict is needed"),
        (
            lambda: torch.save({"model": module().state_dict(), "epoch": 3}, "bad"),
            "bad holds 'model', which is OrderedDict and no tensor",
        ),
        (lambda: torch.save({}, "bad"), "bad: there are 0 weight matrices among no entries"),
        (
            lambda: torch.save(
                torch.nn.Sequential(L(3, 4), R(), L(4, 4), R(), L(4, 1)).state_dict(), "bad"
            ),
            "bad: there are 3 weight matrices among '0.weight' (4, 3), '0.bias' (4,),",
        ),
        (
            lambda: torch.save(torch.nn.Sequential(L(3, 4), R(), L(4, 2)).state_dict(), "bad"),
            "'2.weight' has shape (2, 4); (k, d) and (1, k) are needed, one output",
        ),
        (
            lambda: torch.save(
                torch.nn.Sequential(L(3, 4), torch.nn.PReLU(), L(4, 1)).state_dict(), "bad"
            ),
            "'1.weight' of shape (1,) is no bias of '0.weight' (4, 3) or '2.weight' (1, 4)",
        ),
        (
            lambda: torch.save(
                torch.nn.Sequential(L(3, 4), torch.nn.LayerNorm(4), R(), L(4, 1)).state_dict(),
                "bad",
            ),
            "'1.weight' of shape (4,) is no bias",
        ),
        (
            lambda: torch.save(
                {
                    "net.W1": torch.ones(4, 3),
                    "net.w2": torch.ones(1, 4),
                    "net.gain": torch.ones(1),
                },
                "bad",
            ),
            "'net.gain' of shape (1,) is no bias",
        ),
        (
            lambda: torch.save(
                {"a.weight": torch.full((2, 3), np.nan), "b.weight": torch.ones(1, 2)}, "bad"
            ),
            "the entry 'a.weight' has NaN at (0, 0)",
        ),
    ],
)
def test_a_bad_model_is_one_sentence_and_runs_no_code(files, capsys, write, said):
    write()
    assert said in sentence(capsys, "diagnose", "bad", "data.npz")
    assert not Path("ran").exists()


def flip(path):
    """Damage a byte in the middle of the first array."""
    content = bytearray(Path(path).read_bytes())
    content[200] ^= 255
    Path("bad").write_bytes(content)


ONES = np.ones((4, 3))


def one(path):
    with open(path, "wb") as file:
        np.save(file, ONES)


def several(path, **arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda: None, "bad cannot be opened: No such file or directory"),
        (lambda: Path("bad").write_bytes(b""), "bad cannot be read as an .npz file of arrays"),
        (
            lambda: (cut("data.npz"), Path("cut").rename("bad")),
            "bad cannot be read as an .npz file",
        ),
        (lambda: flip("data.npz"), "bad cannot be read as an .npz file of arrays"),
        (lambda: one("bad"), "bad holds one array; an .npz file"),
        (lambda: several("bad", X=ONES), "bad has no y; it holds X"),
        (lambda: several("bad", x=ONES), "bad has no X and no y; it holds x"),
        (lambda: zipfile.ZipFile("bad", "w").close(), "bad has no X and no y; it holds nothing"),
        (
            lambda: several("bad", X=np.array([Dangerous()]), y=np.ones(1)),
            "bad cannot be read as an .npz file of arrays (Object arrays",
        ),
        (
            lambda: several("bad", X=np.ones((4, 2)), y=np.ones(4)),
            "X has 2 columns, but the network reads inputs of dimension 3",
        ),
        (
            lambda: several("bad", X=ONES, y=np.ones((4, 1))),
            "y has shape (4, 1), but X has 4 rows: one label per data point is needed",
        ),
        (
            lambda: several("bad", X=ONES, y=np.array(["a"] * 4)),
            "y is an array of dtype <U1; an array of real numbers is needed",
        ),
    ],
)
def test_bad_data_are_one_sentence_and_run_no_code(files, capsys, write, said):
    write()
    assert said in sentence(capsys, "diagnose", "model.pt", "bad")
    assert not Path("ran").exists()


def test_what_is_not_installed_is_named_with_what_to_install(files, capsys, monkeypatch):
    good = ("diagnose", "model.pt", "data.npz")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "pip install matplotlib" in sentence(capsys, *good, "--plot", "x.png")
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "pip install torch" in sentence(capsys, *good)


# The keys of a state_dict


def expected():
    m = module()
    return [
        p.detach().double().numpy() for p in (m[0].weight, m[0].bias, m[2].weight[0], m[2].bias[0])
    ]


def same(got):
    return all(np.array_equal(a, b) for a, b in zip(got, expected(), strict=True))


@pytest.mark.parametrize(
    "names",
    [
        ("0.weight", "0.bias", "2.weight", "2.bias"),
        ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"),
        (
            "module._orig_mod.fc1.weight",
            "module._orig_mod.fc1.bias",
            "module.x.weight",
            "module.x.bias",
        ),
        ("W1", "b1", "w2", "b2"),
        ("net.W1", "net.b1", "net.w2", "net.b2"),
    ],
)
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (3, 2, 1, 0)])
def test_parameters_are_found_under_any_names_in_any_order(names, order):
    values = list(module().state_dict().values())
    assert same(parameters_of_state({names[i]: values[i] for i in order}))


def test_missing_biases_are_zero():
    state = {key: value for key, value in module().state_dict().items() if "weight" in key}
    W1, b1, w2, b2 = parameters_of_state(state)
    assert np.array_equal(W1, expected()[0]) and np.array_equal(w2, expected()[2])
    assert not b1.any() and b1.shape == (7,) and b2 == 0


def test_one_neuron_in_one_dimension_goes_by_the_order_of_the_keys():
    state = {"a.weight": [[2.0]], "a.bias": [3.0], "b.weight": [[5.0]], "b.bias": [7.0]}
    assert parameters_of_state(state) == (2.0, 3.0, 5.0, 7.0)


def test_the_reader_gives_the_network_of_the_module():
    wide = torch.nn.Sequential(L(1, 1), R(), L(1, 1)).half()
    net = stablib.ShallowReLU(*parameters_of_state(wide.state_dict()))
    assert np.array_equal(net.parameters(), stablib.ShallowReLU.from_torch(wide).parameters())
