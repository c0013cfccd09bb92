"""``python -m hybridmem.cli`` is ``hybridmem``."""

from hybridmem.cli import main

main()
