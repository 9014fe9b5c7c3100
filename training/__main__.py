"""Makes the bundled checkpoint from nothing.

    python -m training --preset cpu --out training/runs/cpu

A run that was stopped goes on where it was when the same command is given again.
"""

import argparse
from pathlib import Path

from training.presets import presets
from training.stages import STAGES, run_stage


def main() -> None:
    """Read the command line and run the stages in order."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    parser.add_argument("--preset", choices=sorted(presets()), default="cpu")
    parser.add_argument("--out", type=Path, required=True, help="the folder of this run")
    parser.add_argument("--stage", choices=STAGES, action="append", help="only these stages (default: all)")
    parser.add_argument("--prompts", type=int, default=200, help="how many prompts the evaluation paints")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for stage in STAGES:
        if arguments.stage is None or stage in arguments.stage:
            run_stage(stage, presets()[arguments.preset], arguments.out, arguments.prompts)


if __name__ == "__main__":
    main()
