import hashlib
import re

import pytest

from edge.models import MOVENET, NANODET


@pytest.mark.parametrize("model", [NANODET, MOVENET], ids=lambda path: path.name)
def test_the_notice_states_the_hash_of_the_file_that_ships(model):
    notice = model.with_name("NOTICE.md").read_text()
    stated = re.search(rf"sha256 of\s`{model.name}`:\s+`([0-9a-f]{{64}})`", notice)
    assert stated[1] == hashlib.sha256(model.read_bytes()).hexdigest()
