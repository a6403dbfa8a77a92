"""Rendered by tools/render_between_nodes.py. Do not edit.

How far an option value can sag under the straight line between two scenarios, as a share of their
spacing, over u = standard deviation of the forward / spacing. In 2^-24, rounded up.
"""

from __future__ import annotations

STEP_BITS = 5
"""Entries are 2^-STEP_BITS apart in u, from 0 on."""
# E[max(0, 1 − 2u|Z|)] / 4 for u = 0, 1/32, … 2. Convex and falling: a straight line between two
# entries is never too low.
SAG_SHARE: tuple[int, ...] = (
    4194304, 3985144, 3775983, 3566823, 3357677, 3148987, 2943058, 2744191, 2556632, 2383080,
    2224553, 2080857, 1951104, 1834083, 1728493, 1633068, 1546635, 1468141, 1396656, 1331364,
    1271556, 1216615, 1166005, 1119260, 1075974, 1035794, 998409, 963547, 930971, 900468, 871852,
    844959, 819639, 795763, 773213, 751883, 731679, 712515, 694315, 677008, 660531, 644827, 629844,
    615533, 601851, 588757, 576215, 564191, 552655, 541576, 530929, 520689, 510834, 501342, 492193,
    483370, 474856, 466635, 458691, 451012, 443584, 436396, 429435, 422692, 418322,
)
SAG_TAIL = 836643
"""φ(0)/8: for every u > 0 the share is at most this over u, and tends to it."""
