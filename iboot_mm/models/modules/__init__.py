"""Parts that several networks share: projectors, momentum copies, normalisation."""
