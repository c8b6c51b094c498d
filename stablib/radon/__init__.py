"""Function space: Radon transforms, networks as measures on hyperplanes, and the density behind the norm."""
