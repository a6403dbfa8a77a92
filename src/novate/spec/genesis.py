"""The first state: parameters, no accounts but the operator's treasury, every market unopened."""

from __future__ import annotations

from novate.spec.parameters import Parameters
from novate.spec.parameters_check import check_parameters
from novate.spec.presets import Preset
from novate.spec.state import FEE_ACCOUNT, Account, Market, State, System


def genesis(preset: Preset, parameters: Parameters, treasury: int, time: int = 0) -> State:
    """S[0]. `treasury`: L1 address that owns the fee account. InvalidBatch on bad parameters."""
    check_parameters(preset, parameters)
    return State(
        preset=preset,
        parameters=parameters,
        system=System(time=time, account_count=1),
        markets=tuple(Market() for _ in parameters.markets),
        accounts={FEE_ACCOUNT: Account(owner=treasury)},
    )
