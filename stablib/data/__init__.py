"""Data sets: the digits 0 and 1 of MNIST, and the synthetic sets of the paper and the book."""

from .dataset import Dataset
from .mnist import mnist01
from .synthetic import gaussian, plane, two_points

__all__ = ["Dataset", "gaussian", "mnist01", "plane", "two_points"]
