"""``python -m countersign`` is the command ``countersign``."""

from countersign.cli.main import main

if __name__ == "__main__":
    main()
