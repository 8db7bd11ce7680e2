import sys

from corundum._command import main

sys.exit(main())
