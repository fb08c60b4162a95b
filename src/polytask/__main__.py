"""``python -m polytask``."""

from polytask.cli import main

if __name__ == "__main__":
    main()
