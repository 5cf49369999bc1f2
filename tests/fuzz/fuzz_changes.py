"""Changes of files: blind ones, as by damage, and such with the right checksums, as by an attacker.

The latter take a `mutate`, a function from bytes to bytes: Atheris's own, which is guided by what
the code has done with earlier ones, or `damage`.
"""

import contextlib
import functools
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from hashlib import sha256

import numpy as np

from ae_keras.codec import varints
from ae_keras.codec.bitstream import read_header

Mutate = Callable[[bytes], bytes]

# What arrays and texts of a hostile file may hold instead of what belongs there.
_NUMBERS = [0, 1, -1, 2, 255, 2**15, -(2**31), 2**31 - 1, 2**62, 1e-300, 1e300, np.nan, np.inf]
_VALUES = [
    *_NUMBERS,
    None,
    True,
    False,
    "",
    "x",
    "\ud800",
    "../../x",
    [],
    {},
    [0],
    [1, 2, 3],
    2**70,
]
_TYPES = ["i1", "u1", "i4", "i8", "u8", "f2", "f4", "f8", "U3", "?", "c8"]


def damage(rng: random.Random, data: bytes) -> bytes:
    """Change, insert, remove or repeat some bytes, or turn a bit, without a look at them."""
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place, count = rng.randint(0, len(changed)), rng.randint(1, 8)
        kind = rng.randrange(5)
        if kind == 0:
            changed[place : place + count] = rng.randbytes(min(count, len(changed) - place))
        elif kind == 1:
            changed[place:place] = rng.randbytes(count)
        elif kind == 2:
            del changed[place : place + count]
        elif kind == 3:
            changed[place:place] = changed[place : place + count]
        elif place < len(changed):
            changed[place] ^= 1 << rng.randrange(8)
    return bytes(changed)


def change_aek(rng: random.Random, data: bytes, mutate: Mutate) -> bytes:
    """Change the header, the whole payload or one section of an `.aek` file.

    Raises:
        ValueError: if it is none.
    """
    _, entries, start = read_header(data)
    version, payload = data[4], data[start:-4]
    body = data[5 + varints.decode_first(data[5:10])[1] : start - 4]
    kind = rng.randrange(4)
    if kind == 0:
        return _join(version, mutate(body), payload)
    if kind == 1:
        return _join(version, body, mutate(payload))
    ends = np.cumsum([entry.length for entry in entries]).tolist()
    parts = [payload[end - entry.length : end] for end, entry in zip(ends, entries, strict=True)]
    body = body.removesuffix(_listing(version, entries, parts))
    place = rng.randrange(len(parts))
    if kind == 2:
        parts[place] = mutate(parts[place])
    else:
        rng.choice([parts.pop, lambda at: parts.insert(at, parts[at]), lambda _: parts.reverse()])(
            place
        )
        entries = entries[: len(parts)] + entries[-1:] * (len(parts) - len(entries))
    return _join(version, body + _listing(version, entries, parts), b"".join(parts))


def _listing(version: int, entries: list, parts: list[bytes]) -> bytes:
    """Return the end of a header: what it says of its sections."""
    kinds = [[2 * entry.kind + entry.is_optional] if version > 1 else [] for entry in entries]
    numbers = [[*kind, len(part)] for kind, part in zip(kinds, parts, strict=True)]
    return varints.encode([len(parts), *(number for each in numbers for number in each)])


def _join(version: int, body: bytes, payload: bytes) -> bytes:
    head = b"\x89AEK" + bytes([version]) + varints.encode([len(body)]) + body
    checksums = (struct.pack("<I", zlib.crc32(part)) for part in (head, payload))
    return head + next(checksums) + payload + next(checksums)


def change_arrays(rng: random.Random, data: bytes, mutate: Mutate) -> bytes:
    """Change a file of an `.npz` archive, or one of its arrays.

    Raises:
        Exception: of many types, if it is none.
    """
    members = _members(data)
    name = rng.choice(sorted(members))
    if rng.randrange(2):
        members[name] = mutate(members[name])
    else:
        array = np.load(io.BytesIO(members[name]), allow_pickle=False)
        file = io.BytesIO()
        np.save(file, _change_array(rng, array), allow_pickle=False)
        members[name] = file.getvalue()
    if rng.randrange(20) == 0:
        del members[name]
    return _archive(members)


def _change_array(rng: random.Random, array: np.ndarray) -> np.ndarray:
    """Return an array with other values, or of another shape or type."""
    array = np.array(array)
    if array.dtype.kind == "U":
        return np.array(rng.choice([str(array)[:-1], "", "x" * 300, *_NUMBERS]))
    kind = rng.randrange(6)
    with np.errstate(all="ignore"):
        if kind == 0:
            return array.astype(rng.choice(_TYPES))
        if kind == 1:
            return np.resize(array, [rng.randint(0, 3) for _ in range(rng.randint(0, 4))])
        if kind == 2:
            return array.reshape(-1)[: rng.randint(0, array.size)]
        if kind == 3:
            return np.full(array.shape, rng.choice(_NUMBERS))
        if kind == 4:
            return array[np.newaxis] if rng.randrange(2) else array.T
        if array.size and array.dtype.kind in "iuf":
            value = np.array(rng.choice(_NUMBERS)).astype(array.dtype)
            array.reshape(-1)[rng.randrange(array.size)] = value
        return array


def change_json(rng: random.Random, data: bytes, mutate: Mutate) -> bytes:
    """Change the values of a JSON object, or its text."""
    try:
        values = json.loads(data)
        names = sorted(values)
    except (ValueError, TypeError, RecursionError):
        return mutate(data)
    if not names or rng.randrange(2):
        return mutate(data)
    name = rng.choice(names)
    values[name] = _other_value(rng, values[name])
    return json.dumps(values).encode(errors="surrogatepass")


def _other_value(rng: random.Random, value: object) -> object:
    if isinstance(value, dict) and value and rng.randrange(2):
        return value | {rng.choice(sorted(value)): rng.choice(_VALUES)}
    if isinstance(value, list) and value and rng.randrange(2):
        place = rng.randrange(len(value))
        return [*value[:place], rng.choice(_VALUES), *value[place + 1 :]]
    return rng.choice(_VALUES)


def change_package(rng: random.Random, data: bytes, mutate: Mutate) -> bytes:
    """Change what stands behind the model of a `.tflite` file: its description, or its tables.

    The model itself stays: LiteRT reads it, and not this library.

    Raises:
        Exception: of many types, if it is none.
    """
    members = _members(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        model = data[: min(member.header_offset for member in archive.infolist())]
    if sha256(model).hexdigest().encode() != members["model.sha256"]:
        raise ValueError("the model is damaged")
    if rng.randrange(2):
        members["model.json"] = change_json(rng, members["model.json"], mutate)
    else:
        name = "entropy_tables.npz"
        members[name] = change_arrays(rng, members[name], mutate)
    return _archive(members, model)


def change_parquet(rng: random.Random, data: bytes, mutate: Mutate) -> bytes:
    """Change a Parquet file, or one of its columns.

    Raises:
        Exception: of many types, if it is none.
    """
    if rng.randrange(2):
        return mutate(data)
    import pyarrow
    from pyarrow import parquet

    columns = parquet.read_table(io.BytesIO(data)).to_pydict()
    name = rng.choice(sorted(columns))
    values = [rng.choice(_VALUES) for _ in columns.pop(name)]
    if rng.randrange(4):
        with contextlib.suppress(pyarrow.ArrowException, OverflowError, TypeError, ValueError):
            columns[name] = pyarrow.array(values[:1] * len(values))
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _archive(members: dict[str, bytes], before: bytes = b"") -> bytes:
    file = io.BytesIO(before)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def damage_with(rng: random.Random) -> Mutate:
    """Return `damage` as a function of bytes alone."""
    return functools.partial(damage, rng)
