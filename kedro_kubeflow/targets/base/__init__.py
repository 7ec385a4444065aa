"""The seam: what every place that runs compiled pipelines is asked for, and the values that it answers with.

Compare torchx's schedulers (https://pytorch.org/torchx/latest/schedulers.html): commands know this room alone; what differs
between places lies in a room each, and is found by name (see `registry`).
"""
