"""`python -m coursekit`: the command line."""

from coursekit.cli import main

raise SystemExit(main())
