# SPDX-License-Identifier: BSD-2-Clause
"""What /metrics says, read by the parser of Prometheus' own client library."""
from prometheus_client.parser import text_string_to_metric_families


def families(daemon):
    text = daemon.admin("/metrics").body.decode()
    return list(text_string_to_metric_families(text))


def outcomes(daemon):
    """Hits by what became of them, those that happened."""
    found = {sample.labels["outcome"]: int(sample.value) for family in families(daemon) for sample in family.samples
             if sample.name == "thongke_hits_total"}
    return {outcome: hits for outcome, hits in found.items() if hits}
