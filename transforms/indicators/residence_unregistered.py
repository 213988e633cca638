"""Stable residence, registered or not (合法稳定住所, Trial measures art. 5(2)): points for each year in a
home, by its kind.

The rule is that of residence.py; its table of kinds asks for no registration, as proof was enough.
"""

from transforms.indicators import residence

EVIDENCE, Params = residence.EVIDENCE, residence.Params
evidence, parts = residence.evidence, residence.parts
