"""Files of sealed batches: whole or refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from novate.l1.submission import Queue, Submission, decode_submission, encode_submission
from novate.l1.submission import submission_of as made_of
from novate.native import NativePrimitives
from novate.spec.errors import DecodeError
from novate.spec.public_data.blob import POLYNOMIAL_BYTES
from novate.spec.public_data.header import DataForm, Header
from novate.spec.public_data.opening import Carrier, data_digest

HEADER = Header(
    version=1,
    form=DataForm.DIFF,
    reset_slots=False,
    number=7,
    time=1_800_000_000,
    fork=2,
    venue_epoch=3,
    inbox_before=4,
    inbox_after=9,
    parameters=(1, 2, 3, 4),
    settlement_root_before=(5, 6, 7, 8),
    root_before=(9, 10, 11, 12),
    settlement_root_after=(13, 14, 15, 16),
    root_after=(17, 18, 19, 20),
)


def submission(data: bytes, calldata: bytes, carrier: Carrier) -> Submission:
    return made_of(HEADER, data, calldata, carrier, NativePrimitives())


@pytest.mark.parametrize("length", [0, 1, POLYNOMIAL_BYTES, POLYNOMIAL_BYTES + 1])
@pytest.mark.parametrize("carrier", list(Carrier))
def test_a_file_gives_the_submission_back(length: int, carrier: Carrier) -> None:
    data = bytes(k % 251 for k in range(length))
    made = submission(data, b"calldata", carrier)
    assert decode_submission(encode_submission(made)) == made
    assert (made.data, made.calldata) == (data, b"calldata")
    assert made.data_parts == max(1, -(-length // POLYNOMIAL_BYTES))
    assert len(made.blobs) == (made.data_parts if carrier == Carrier.BLOB else 0)
    assert made.digest == data_digest(made.parts, NativePrimitives())


def test_every_damaged_byte_is_found() -> None:
    content = encode_submission(submission(b"data", b"calldata", Carrier.CALLDATA))
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1
        with pytest.raises(DecodeError):
            decode_submission(bytes(damaged))
        with pytest.raises(DecodeError):
            decode_submission(content[:place])


def test_the_newest_attempt_at_a_number_counts(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "queue")
    assert queue.get(7) is None
    queue.put(submission(b"first", b"", Carrier.CALLDATA))
    queue.put(submission(b"second", b"", Carrier.CALLDATA))
    found = queue.get(7)
    assert found is not None
    assert found.data == b"second"
    assert sorted(path.name for path in queue.folder.iterdir()) == ["0000000007.batch"]
    queue.forget(6)
    assert queue.get(7) is not None
    queue.forget(7)
    assert queue.get(7) is None
