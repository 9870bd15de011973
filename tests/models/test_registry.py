"""create_model and describe."""

from __future__ import annotations

import pytest
import torch

from coursekit.codabench.formats import CODABENCH
from coursekit.models import (
    MODEL_NAMES,
    UNDER_2025_LIMIT,
    count_parameters,
    create_model,
    describe,
)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_description_rebuilds_the_model(name: str) -> None:
    model = create_model(name, num_classes=11)
    found, settings = describe(model)
    assert found == name
    again = create_model(found, **settings)
    assert again.config == model.config
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_each_model_has_settings_for_the_limit_of_2025(name: str) -> None:
    assert count_parameters(create_model(name, **UNDER_2025_LIMIT[name])) < CODABENCH.limit


def test_foreign_models_are_refused() -> None:
    with pytest.raises(ValueError, match="Linear"):
        describe(torch.nn.Linear(1, 1))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("u-net", {}, "did you mean 'unet'"),
        ("resnet", {}, "there are: unet"),
        ("unet", {"width": 3}, "widths"),
        ("unet", {"num_classes": 1}, "at least 2"),
        ("unet", {"widths": 8}, "widths=8"),
        ("unet", {"widths": (8, -1)}, "cannot be built"),
    ],
)
def test_bad_calls_say_what_there_is(name: str, settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        create_model(name, **settings)
