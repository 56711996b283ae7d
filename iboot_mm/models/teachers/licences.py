"""Licences of the weights of known families.

What the library's own entry says is used as it is, except where the publisher's own licence is known to be another one.
"""

import re

# First match on 'model.tag' wins.
KNOWN_LICENCES = (
    (r'openai', 'MIT'),  # github.com/openai/CLIP; timm's conversions say Apache-2.0
    (r'swav', 'CC-BY-NC-4.0'),
    (r'dinov3', 'DINOv3 License'),
)
# Where the library says nothing.
FAMILY_LICENCES = (
    (r'dinov2|dino|deit|siglip|webli', 'Apache-2.0'),
    (r'pe[-_]core', 'Apache-2.0'),
    (r'metaclip', 'CC-BY-NC-4.0'),
    (r'mobileclip|dfndr|datacompdr', 'Apple AMLR'),
    (r'dfn', 'Apple ASCL'),
    (r'eva0|laion|datacomp|commonpool|merged2b|yfcc15m|cc12m', 'MIT'),
)
SPELLING = {
    'apache-2.0': 'Apache-2.0',
    'mit': 'MIT',
    'cc-by-nc-4.0': 'CC-BY-NC-4.0',
    'apple-amlr': 'Apple AMLR',
    'apple-ascl': 'Apple ASCL',
}


def licence_of(weights: str, stated: str | None = None) -> str:
    """The licence of some weights.

    Args:
        weights: Model and tag, such as ``vit_base_patch16_224.dino``; case is ignored.
        stated: What the library's entry for them says.

    Returns:
        Its short name; ``unknown`` where nobody says.
    """
    weights = weights.lower()
    for pattern, licence in KNOWN_LICENCES:
        if re.search(pattern, weights):
            return licence
    if stated:
        return SPELLING.get(stated, stated)
    return next((licence for pattern, licence in FAMILY_LICENCES if re.search(pattern, weights)), 'unknown')
