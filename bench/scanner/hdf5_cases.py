"""Write small HDF5 files of every structure that the reader knows, by h5py, and models
by Keras. Clean ones begin with ok, hostile ones with bad.

    python hdf5_cases.py internal/scan/keras/testdata
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np

to = sys.argv[1]
os.makedirs(to, exist_ok=True)
x = np.arange(24, dtype="f4").reshape(4, 6)


def write(name, **kw):
    return h5py.File(os.path.join(to, name), "w", **kw)


with write("ok-groups.h5") as f:  # symbol tables of two levels
    for i in range(40):
        f.create_group(f"a/g{i:03}").attrs["n"] = i
    f["a/g001/x"] = x
    f.attrs["text"] = "os.system and eval are words"
    f.attrs["list"] = [f"name {i}" for i in range(50)]
    f.attrs["fixed"] = np.array([b"one", b"three"])
with write("ok-latest.h5", libver="latest") as f:
    f["x"] = x
    f["one"] = x[0]
    f.create_dataset("chunk", data=x, chunks=x.shape, compression="gzip")
    f["soft"] = h5py.SoftLink("/x")
    for i in range(60):
        f.attrs[f"attribute {i:03}"] = "v" * (i % 50)
with write("ok-order.h5", track_order=True) as f:  # links in a heap, by order of creation
    for i in range(120):
        f.create_group(f"layer_{i:04}", track_order=True)
    f["layer_0000/x"] = x
with write("ok-chunks.h5") as f:
    f.create_dataset("x", data=np.zeros((64, 64)), chunks=(8, 8), compression="gzip", shuffle=True)
    f.create_dataset("empty", shape=(0, 5), maxshape=(None, 5))
    f["s"] = 1.5
    f["words"] = ["a", "bc", "def"]
    f["hard"] = f["x"]
    f["type"] = np.dtype("f8")
    f.create_dataset("typed", (3,), dtype=f["type"])
with write("bad-external-link.h5") as f:
    f["w"] = h5py.ExternalLink("/etc/other.h5", "/x")
with write("bad-external-storage.h5") as f:
    f.create_dataset("w", (4,), "f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])
with write("bad-virtual.h5", libver="latest") as f:
    v = h5py.VirtualLayout((4, 6), "f4")
    v[:] = h5py.VirtualSource("other.h5", "x", (4, 6))
    f.create_virtual_dataset("w", v)
with write("bad-userblock.h5", userblock_size=512) as f:
    f["x"] = x
with open(os.path.join(to, "bad-userblock.h5"), "r+b") as f:
    f.write(b"\x80\x04K\x01.")

m = keras.Sequential([keras.layers.Input((8,)), keras.layers.Dense(4, activation="relu"), keras.layers.Dense(2, activation="softmax")])
m.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
m.fit(np.zeros((8, 8)), np.zeros(8), verbose=0)
m.save(os.path.join(to, "ok-model.keras"))
m.save(os.path.join(to, "ok-model.h5"))
m.save_weights(os.path.join(to, "ok-model.weights.h5"))

inner = keras.Sequential([keras.layers.Input((8,)), keras.layers.Lambda(lambda x: x + 1)])
middle = keras.Sequential([keras.layers.Input((8,)), inner])
outer = keras.Sequential([keras.layers.Input((8,)), middle])
outer.save(os.path.join(to, "bad-lambda.keras"))
outer.save(os.path.join(to, "bad-lambda.h5"))
