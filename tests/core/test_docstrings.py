import inspect

import pytest

import stablib

NAMES = [name for name in stablib.__all__ if not name.startswith("__")]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_tells_its_errors_its_source_and_a_runnable_example(name):
    text = inspect.getdoc(getattr(stablib, name))
    assert "Source:" in text or "Source." in text, "where does it come from?"
    assert ">>>" in text, "show it"
    assert "Raises:" in text or "as for `" in text, "what is refused?"


@pytest.mark.parametrize(
    "cls", [stablib.ShallowReLU, stablib.EmpiricalWeight, stablib.IsotropicWeight]
)
def test_every_public_method_has_a_docstring_with_an_example(cls):
    for name, member in vars(cls).items():
        if name.startswith("_") or isinstance(member, property):
            continue
        assert ">>>" in inspect.getdoc(getattr(cls, name)), f"{cls.__name__}.{name}"


def test_importing_the_library_imports_neither_torch_nor_what_only_the_book_needs():
    import subprocess
    import sys

    code = (
        "import sys, stablib; assert not {'torch', 'numpy', 'numba'} & set(sys.modules), 'import stablib';"
        "import stablib.network, stablib.weights, stablib.norms, stablib.curvature, stablib.bounds,"
        "stablib.flattest, stablib.training.descent;"
        "loaded = {'torch', 'numba', 'matplotlib', 'joblib', 'ipywidgets'} & set(sys.modules);"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'sharpnes'"):
        _ = stablib.sharpnes
