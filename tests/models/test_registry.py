"""create_model and describe."""

from __future__ import annotations

import math

import pytest
import torch

from coursekit.codabench.formats import CODABENCH, UNDER_2025_LIMIT
from coursekit.errors import CourseError
from coursekit.models import BASELINES, MODEL_NAMES, count_parameters, create_model, describe
from coursekit.models.dml_csr import SMALL


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_a_description_rebuilds_the_model(name: str) -> None:
    with torch.device("meta"):  # shapes alone: two of them are large
        model = create_model(name, num_classes=11)
        found, settings = describe(model)
        assert found == name
        again = create_model(found, **settings)
    assert again.config == model.config
    again.load_state_dict(model.state_dict())


@pytest.mark.parametrize("name", BASELINES)
def test_each_baseline_has_settings_for_the_limit_of_2025(name: str) -> None:
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
        ("unet", {"num_classes": 0}, "at least 1"),
        ("unet", {"num_classes": True}, "at least 1"),
        ("dml_csr", {"context": "pspp"}, "context is 'pspp'; there are: ddgcn, none, psp,"),
        ("dml_csr", {"edge_heads": "two"}, "there are: none, binary, category, both"),
        ("dml_csr", {"conva": 2}, "conva is 2; there are: 1, 3"),
        ("dml_csr", {"merge": "sum"}, "merge is 'sum'; there are: code, paper"),
        ("dml_csr", {"graphs": 0}, "graphs is 0; it takes values such as True"),
        ("dml_csr", {"abn": "sync"}, "abn is .sync.; there are: inplace, package, plain"),
        ("dml_csr", {"context_channels": 3}, ": the graphs divide the channels by 4"),
        ("dml_csr", {"context": "psp", "merge": "sum"}, "merge is 'sum'; there are: code, paper"),
        ("dml_csr", {"context": "none", "conva": 5}, "conva is 5; there are: 1, 3"),
        ("dml_csr", {"blocks": (1, 1)}, "cannot be built"),
        ("unet", {"widths": 8}, "it must be a tuple such as"),
        ("unet", {"widths": (8, -1)}, "widths holds -1; it takes whole numbers from 1"),
        ("unet", {"widths": ()}, "it must be a tuple such as"),
        ("unet", {"in_channels": 0}, "in_channels holds 0"),
        ("deeplabv3plus", {"stages": ((32, 64), (64, 0.5))}, "stages holds 0.5"),
        ("fastscnn", {"dropout": math.nan}, r"must lie in \[0, 1\)"),
        ("fastscnn", {"bins": (0,)}, "bins holds 0"),
        ("segformer", {"heads": (3, 2, 2, 8)}, "do not divide 16 channels"),
        ("segformer", {"heads": (2,)}, r"cannot be.*heads=\(2,\) \(default: \(2, 2, 2, 8\)\)"),
    ],
)
def test_bad_calls_say_what_there_is(name: str, settings: dict, message: str) -> None:
    with torch.device("meta"), pytest.raises(CourseError, match=message):
        create_model(name, **settings)


def test_a_wrong_word_is_told_by_itself_whatever_else_is_set() -> None:
    with torch.device("meta"), pytest.raises(CourseError) as caught:
        create_model("dml_csr", **SMALL, context="pspp")
    assert str(caught.value) == (
        "dml_csr: context is 'pspp'; there are: ddgcn, none, psp, psp_no_pooling, dgcnet, "
        "dgcnet_no_pooling"
    )


def test_lists_are_taken_as_tuples() -> None:
    with torch.device("meta"):
        one = create_model("unet", widths=[4, 6])
        two = create_model("deeplabv3plus", stages=[[32, 64], [64, 128]])
    assert one.config == create_model("unet", widths=(4, 6)).config
    assert two.config.stages == ((32, 64), (64, 128))
