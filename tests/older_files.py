"""Files as earlier versions wrote them."""

import zlib

from ae_keras.codec import varints
from ae_keras.codec.bitstream import read_header


def as_version_1(data):
    """Return a file, of a short header and without alpha or metadata, in the older version."""
    _, entries, start = read_header(data)
    lengths = [entry.length for entry in entries]
    now = varints.encode([len(entries), *(number for size in lengths for number in (0, size))])
    assert data[6 : start - 4].endswith(now)
    body = data[6 : start - 4].removesuffix(now) + varints.encode([len(entries), *lengths])
    head = data[:4] + bytes([1, len(body)]) + body
    return head + zlib.crc32(head).to_bytes(4, "little") + data[start:]
