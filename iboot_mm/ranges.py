"""Refuses numbers that an option cannot mean, which would give nonsense without an error."""


def at_least(least: float, owner: str, **options: float) -> None:
    """Refuses options below ``least``, and what is not a number.

    Example:
        >>> at_least(1, 'VideoSwAV', iterations=iterations)

    Args:
        least: The smallest value allowed.
        owner: Whose options they are, for the error.
        **options: Their names and values.

    Raises:
        ValueError: names the first such option and its value.
    """
    _refuse(owner, f'at least {least:g}', {name: value for name, value in options.items() if not value >= least})


def above_zero(owner: str, **options: float) -> None:
    """As :func:`at_least`, of options that must be above 0."""
    _refuse(owner, 'above 0', {name: value for name, value in options.items() if not value > 0})


def in_unit_interval(owner: str, **options: float) -> None:
    """As :func:`at_least`, of options in [0, 1]."""
    _refuse(owner, 'in [0, 1]', {name: value for name, value in options.items() if not 0 <= value <= 1})


def below_one(owner: str, **options: float) -> None:
    """As :func:`at_least`, of options in [0, 1): momenta and decays, which at 1 never change anything."""
    _refuse(owner, 'in [0, 1)', {name: value for name, value in options.items() if not 0 <= value < 1})


def _refuse(owner: str, allowed: str, refused: dict[str, float]) -> None:
    for name, value in refused.items():
        raise ValueError(f'{owner}: {name} must be {allowed}, got {value}')
