"""`python -m workers` is the `workers` command."""

from workers.cli.main import main

main()
