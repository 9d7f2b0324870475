"""`python -m castline` is the command line."""

from castline.cli import main

main()
