"""Function space: Radon transforms, and the density behind the stability norm."""
