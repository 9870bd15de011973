"""Label sets, merges, mirror pairs and the 106 points."""

from __future__ import annotations

import numpy as np
import pytest

from coursekit import labels
from coursekit.errors import CourseError
from coursekit.labels import CELEBAMASK_HQ, HELEN, IGNORE_INDEX, LAPA


def test_the_sets_have_the_published_sizes_and_order() -> None:
    assert CELEBAMASK_HQ.num_classes == 19
    assert LAPA.num_classes == HELEN.num_classes == 11
    names = ("hair", "hat", "ear_r", "neck_l", "neck", "cloth")
    assert [CELEBAMASK_HQ.index(name) for name in names] == [13, 14, 15, 16, 17, 18]
    assert CELEBAMASK_HQ.palette[16] == (0, 51, 0)
    assert LAPA.names[6:] == ("nose", "u_lip", "mouth", "l_lip", "hair")
    for labelled in labels.LABEL_SETS.values():
        assert len(labelled.names) == len(labelled.palette) == len(labelled.titles)
        assert len(set(labelled.palette)) == labelled.num_classes


def test_lapas_sides_are_turned_into_the_subjects() -> None:
    """LaPa's id 2, "left" in its paper, is seen on the left: the subject's right."""
    table = labels.merge_table(CELEBAMASK_HQ, LAPA)
    assert LAPA.names[table[CELEBAMASK_HQ.index("r_brow")]] == "r_brow"
    assert table[CELEBAMASK_HQ.index("r_brow")] == 2
    assert table[CELEBAMASK_HQ.index("l_eye")] == 5


def test_merge_keeps_shared_names_and_ignores_the_unknown() -> None:
    table = labels.merge_table(CELEBAMASK_HQ, LAPA)
    for index, name in enumerate(CELEBAMASK_HQ.names):
        if name in LAPA.names:
            assert LAPA.names[table[index]] == name
    assert LAPA.names[table[CELEBAMASK_HQ.index("eye_g")]] == "skin"
    for name in ("hat", "ear_r", "neck_l", "neck", "cloth", "l_ear"):
        assert table[CELEBAMASK_HQ.index(name)] == 0
    assert (table[19:] == IGNORE_INDEX).all()
    same = labels.merge_table(LAPA, HELEN)
    assert same[:11].tolist() == list(range(11))


@pytest.mark.parametrize("labelled", labels.LABEL_SETS.values(), ids=str)
def test_mirroring_twice_changes_nothing(labelled: labels.LabelSet) -> None:
    table = labelled.mirror_table()
    assert (table[table] == np.arange(256)).all()
    for a, b in labelled.mirror_pairs:
        assert {labelled.names[a][0], labelled.names[b][0]} == {"l", "r"}
        assert labelled.names[a][1:] == labelled.names[b][1:]
        assert table[a] == b
    # Every name with a partner of the other side is among the pairs.
    sided = {n for n in labelled.names if n[:2] == "l_" and "r" + n[1:] in labelled.names}
    paired = {labelled.names[i] for pair in labelled.mirror_pairs for i in pair}
    assert sided == {name for name in paired if name[0] == "l"}


def test_reordering_the_other_public_order() -> None:
    table = labels.reorder_table(labels.CELEBAMASK_HQ_ALTERNATIVE_ORDER, CELEBAMASK_HQ)
    assert table[17] == CELEBAMASK_HQ.index("hair")
    assert table[2] == CELEBAMASK_HQ.index("l_brow")
    assert sorted(table[:19]) == list(range(19))
    with pytest.raises(ValueError, match="helen"):
        labels.reorder_table(("background", "skin"), HELEN)


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(KeyError, match="eyebrow.*it has: background, skin"):
        CELEBAMASK_HQ.index("eyebrow")


def test_colourise() -> None:
    picture = labels.colourise(np.array([[0, 1], [18, 200]]))
    assert picture.tolist() == [[[0, 0, 0], [204, 0, 0]], [[0, 204, 0], [128, 128, 128]]]


def test_the_palette_that_is_drawn_with_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COURSEKIT_PALETTE", raising=False)
    assert labels.shown(CELEBAMASK_HQ) == CELEBAMASK_HQ
    monkeypatch.setenv("COURSEKIT_PALETTE", "safe")
    safe = labels.shown(CELEBAMASK_HQ)
    assert safe == labels.shown(CELEBAMASK_HQ, "safe") == labels.shown(safe) != CELEBAMASK_HQ
    assert (safe.names, len(set(safe.palette))) == (CELEBAMASK_HQ.names, 19)
    assert labels.shown(CELEBAMASK_HQ, "official") == CELEBAMASK_HQ
    monkeypatch.setenv("COURSEKIT_PALETTE", "Save")
    with pytest.raises(CourseError, match="COURSEKIT_PALETTE: .*'Save'; did you mean 'safe'?"):
        labels.shown(LAPA)
