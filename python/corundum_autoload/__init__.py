"""What `import torch` calls at its end (torch's "torch.backends" entry point).

A package of its own, so that without CORUNDUM_ENABLE nothing of Corundum is imported.
"""

import os


def autoload() -> None:
    """Enables Corundum when CORUNDUM_ENABLE says so: 1, or the path of a TOML or YAML file with the keys `only` and `exclude`."""
    wish = os.environ.get("CORUNDUM_ENABLE", "")
    if wish in ("", "0"):
        return
    # Not `import corundum`: when corundum itself imported torch, that package is not complete yet.
    from corundum._front import enable_as_environment_says

    enable_as_environment_says(wish)
