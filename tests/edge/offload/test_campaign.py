"""The whole offload on a bad line: bench/offload_campaign.py in small."""

import secrets

import pytest

from bench.offload_campaign import campaign, print_table


@pytest.mark.slow
async def test_over_a_bad_line_to_a_hub_that_is_killed_every_segment_arrives_once_and_whole(tmp_path):
    outcome = await campaign(secrets.randbits(32), 12, 1, tmp_path, mean_bytes=500_000)
    print_table([outcome])
    assert outcome.broken == []
    assert outcome.kills == outcome.restarts == 1
    assert outcome.faults.total() > 5
