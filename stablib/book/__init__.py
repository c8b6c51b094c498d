"""What only the book needs: its pipeline, its figures, and the claims that it checks.

`python -m stablib.book` starts here on a machine where nothing is installed yet, so this module
imports nothing.
"""
