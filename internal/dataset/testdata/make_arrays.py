"""Write the NumPy files that the tests read. Tried with Python 3.11.7, NumPy 2.4.6.

Run in this folder: python make_arrays.py
"""
import io
import json
import struct
import zipfile

import numpy as np
from numpy.lib import format as npy

SHAPE = (5, 3, 4)
ORDERS = {"little": "<", "big": ">"}
TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"]


def values(kind):
    """60 numbers that the type holds exactly, its extremes among them."""
    if kind == "b1":
        return (np.arange(60) % 3 == 0)
    dtype = np.dtype(kind)
    v = np.arange(60).astype(dtype)
    if dtype.kind == "f":
        v = (v - 30) / dtype.type(8)
        v[0], v[1] = np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal
        v[2] = 65504 if kind == "f2" else np.float32(3e38)
    else:
        info = np.iinfo(dtype)
        v[0] = info.min
        v[1] = min(info.max, 2**53)
        if dtype.kind == "i":
            v[2] = max(info.min, -(2**53))
    return v


arrays, expected = {}, {}
for kind in TYPES:
    for name, order in ORDERS.items():
        for layout in "CF":
            v = values(kind).reshape(SHAPE).astype(np.dtype(kind).newbyteorder(order))
            key = f"{kind}_{name}_{layout}"
            arrays[key] = np.asarray(v, order=layout)
            assert arrays[key].flags.f_contiguous == (layout == "F")
            expected[key] = [float(x) for x in v.reshape(-1)]
np.savez_compressed("types.npz", **arrays)
with open("types.json", "w") as f:
    json.dump(expected, f, separators=(",", ":"))
    f.write("\n")

x = np.arange(24, dtype=np.float32).reshape(4, 6)
for version in [(1, 0), (2, 0), (3, 0)]:
    with open(f"version{version[0]}.npy", "wb") as f:
        npy.write_array(f, x, version=version)
np.save("vector.npy", np.arange(7, dtype=np.int64))
np.save("fortran.npy", np.asfortranarray(x))
np.save("objects.npy", np.array([1, "a", None], dtype=object), allow_pickle=True)
np.save("records.npy", np.zeros(3, dtype=[("a", "<f4"), ("b", "<i2")]))
np.save("text.npy", np.array(["yes", "no"]))
np.save("complex.npy", np.zeros((2, 2), dtype=np.complex64))
np.save("scalar.npy", np.float64(3))
np.save("nothing.npy", np.zeros((0, 4), dtype=np.float32))
np.save("holes.npy", np.array([[1, 2], [3, np.nan]]))
np.savez("stored.npz", x=x.reshape(4, 1, 2, 3), y=np.array([0, 1, 2, 1]))
np.savez_compressed("deflated.npz", x=x.reshape(4, 1, 2, 3), y=np.array([[0], [1], [2], [1]], dtype=np.uint8))
np.savez("outputs.npz", logits=x[:, :3], labels=np.array([2, 2, 2, 2], dtype=np.int32))


def member(array):
    b = io.BytesIO()
    np.save(b, array)
    return b.getvalue()


# A bomb: deflate allows 1032 to 1; the member claims far more than it holds.
with zipfile.ZipFile("bomb.npz", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("x.npy", member(x))
raw = bytearray(open("bomb.npz", "rb").read())
at = raw.index(b"PK\x01\x02") + 24
raw[at:at + 4] = struct.pack("<I", 0xFFFFFFF0)
open("bomb.npz", "wb").write(raw)

with zipfile.ZipFile("twice.npz", "w") as z:
    z.writestr("x.npy", member(x))
    z.writestr("x.npy", member(x + 1))
raw = bytearray(open("stored.npz", "rb").read())
raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
open("encrypted.npz", "wb").write(raw)
