"""Small chapters for the tests of the pipeline."""

HEADER = """\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

"""

# A number, a result, a figure, another figure, a widget: all that a chapter shows.
SMALL = (
    HEADER
    + """\
# A small chapter

```{code-cell} python
import matplotlib.pyplot as plt
import numpy as np

print("loss", 1 / 3, "after", 7, "steps")
```

Text between the cells.

```{code-cell} python
---
mystnb:
  image:
    alt: A parabola.
tags: [remove-input]
---
x = np.linspace(0, 1, 50)
plt.plot(x, x**2)
plt.show()
```

```{code-cell} python
plt.plot(x, x**3)
plt.show()
```

```{code-cell} python
x[:3]
```

```{code-cell} python
import ipywidgets as widgets

slider, number = widgets.IntSlider(max=3), widgets.IntText()
link = widgets.jslink((slider, "value"), (number, "value"))
widgets.VBox([slider, number])
```
"""
)

BROKEN = (
    HEADER
    + """\
# A chapter that fails

```{code-cell} python
y = 1
```

```{code-cell} python
y / 0
```
"""
)
