"""``python -m iboot_mm_cli``, where the folder of scripts is not on the path."""

from .command_line import main

main()
