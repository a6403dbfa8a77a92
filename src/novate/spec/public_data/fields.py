"""The fields that several layouts share, each with its width and its range."""

from __future__ import annotations

from novate.spec.bounds import (
    AMOUNT_MAX,
    NONCE_MAX,
    OWNER_MAX,
    PPM_SIGNED_MAX,
    PRICE_MAX,
    QUANTITY_MAX,
    TIME_MAX,
)
from novate.spec.instruments import ID_BITS
from novate.spec.public_data.codec import (
    DigestCodec,
    Flag,
    KeyCodec,
    SignatureCodec,
    Signed,
    Unsigned,
)

ACCOUNT = Unsigned("account", 3)
UNDERLYING = Unsigned("underlying", 1)
INSTRUMENT = Unsigned("instrument", 7, 0, (1 << ID_BITS) - 1)
PRICE = Unsigned("price", 4, 0, PRICE_MAX)
QUANTITY = Unsigned("quantity", 4, 0, QUANTITY_MAX)
SIGNED_QUANTITY = Signed("quantity", 4, QUANTITY_MAX)
AMOUNT = Unsigned("amount", 8, 0, AMOUNT_MAX)
SLOT = Unsigned("slot", 2)
NONCE = Unsigned("nonce", 4, 0, NONCE_MAX)
TIME = Unsigned("time", 4, 0, TIME_MAX)
FEE_PPM = Signed("max_fee_ppm", 4, PPM_SIGNED_MAX)
ADDRESS = Unsigned("address", 20, 0, OWNER_MAX)
COUNTER = Unsigned("counter", 4)
CURSOR = Unsigned("inbox_cursor", 8, 0, 2**63 - 1)
KEY = KeyCodec()
SIGNATURE = SignatureCodec()
DIGEST = DigestCodec()
FLAG = Flag()
