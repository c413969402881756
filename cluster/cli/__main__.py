"""``python -m cluster.cli VERB`` is ``tradewind VERB``."""

from cluster.cli.main import main

raise SystemExit(main())
