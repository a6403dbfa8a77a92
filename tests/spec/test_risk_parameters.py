"""Risk parameters: the defaults are well formed, every broken promise is seen, all are hashed."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from novate.spec.risk_parameters import (
    MINIMAL_RISK,
    RiskParameters,
    Scenario,
    is_well_formed,
    lowest_spot_ppm,
    risk_elements,
    spot_spacing_ppm,
)

DEFAULT = RiskParameters()


@pytest.mark.parametrize("risk, count", [(DEFAULT, 33), (MINIMAL_RISK, 7)])
def test_defaults_are_well_formed(risk: RiskParameters, count: int) -> None:
    assert is_well_formed(risk)
    assert len(risk.scenarios) == count
    assert lowest_spot_ppm(risk) == {33: -160_000, 7: -120_000}[count]
    assert spot_spacing_ppm(risk) == {33: 40_000, 7: 120_000}[count]


@pytest.mark.parametrize(
    "change",
    [
        {"scenarios": ()},
        {"scenarios": (Scenario(40_000, 0, 10**6),)},
        {"scenarios": (Scenario(0, 0, 10**6), Scenario(0, 1, 10**6), Scenario(9, 1, 10**6))},
        {"scenarios": (Scenario(0, 0, 10**6), Scenario(-(10**6), 0, 10**5))},
        {"scenarios": (Scenario(0, 0, 10**6), Scenario(50_000, 0, 10**6 + 1))},
        {"initial_factor_ppm": 999_999},
        {"vol_min_ppm": 0},
        {"vega_offset_ppm": -1},
        {"concentration_free": 0},
    ],
)
def test_parameters_that_break_a_promise_are_not_well_formed(change: dict[str, object]) -> None:
    assert not is_well_formed(replace(DEFAULT, **change))  # type: ignore[arg-type]


def test_every_parameter_is_hashed() -> None:
    elements = risk_elements(DEFAULT)
    assert len(elements) == 1 + 3 * 33 + len(fields(RiskParameters)) - 1
    for field in fields(RiskParameters)[1:]:
        value = getattr(DEFAULT, field.name)
        changed = replace(DEFAULT, **{field.name: value + 1})
        assert risk_elements(changed) != elements
    assert risk_elements(MINIMAL_RISK)[0] == 7
    assert elements[1] == 2**64 - 2**32 + 1 - 160_000
