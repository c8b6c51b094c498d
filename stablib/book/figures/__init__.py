"""The book's figures: one module per chapter, one function per figure, one shared style."""
