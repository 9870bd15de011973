"""What the tests of the competition share."""

from __future__ import annotations

import pytest

from .zips import images_folder


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A folder of small photographs with the stems of `zips.STEMS`."""
    return images_folder(tmp_path_factory.mktemp("images"))
