"""Write Keras and SavedModel files that run something when they are loaded or called, and
say what they did: python keras_attacks.py FOLDER

labels.tsv gets a line "path<TAB>events" for each, events empty where nothing happened.
Each Keras file is loaded in a child of its own, with the switches that let old models in
(safe_mode=False, unsafe deserialisation), given one batch, and watched by CPython's
audit hooks. SavedModels are loaded and called in turn in one fresh interpreter, since
TensorFlow's threads do not survive a fork; a file that appears counts as run.
Payloads do nothing: they write an empty file into FOLDER, or raise an audit event.
"""
import base64
import json
import marshal
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
import tensorflow as tf
from keras import layers
from tensorflow.core.protobuf import saved_model_pb2

to = os.path.abspath(sys.argv[1])
os.makedirs(to, exist_ok=True)
cases = []


def written():
    """The files that a SavedModel left, which are removed."""
    left = [f for f in os.listdir(to) if f.startswith("ran")]
    for f in left:
        path = os.path.join(to, f)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    return left


if len(sys.argv) > 2:  # the fresh interpreter
    for name in sorted(os.listdir(to)):
        if name.endswith("-savedmodel"):
            try:
                m = tf.saved_model.load(os.path.join(to, name))
                call = m if callable(m) else m.signatures["serving_default"]
                call(tf.constant(os.path.join(to, "ran")) if "named" in name else tf.ones((1, 4)))
            except Exception as e:
                print(name, type(e).__name__, e, file=sys.stderr)
            print(os.path.join(to, name), "file-written" if written() else "", sep="\t", flush=True)
    sys.exit()


def place(name):
    cases.append(os.path.join(to, name))
    return cases[-1]


def mark(x):
    import sys
    sys.audit("assize.ran")
    return x


def wrap(kind, inner):
    """A model with a layer, as a sequence, in a model, in a wrapper, or as a function of tensors."""
    if kind == "sequence":
        return keras.Sequential([keras.Input((4,)), inner, layers.Dense(2)])
    if kind == "models":
        m = keras.Sequential([keras.Input((4,)), inner])
        for _ in range(3):
            m = keras.Sequential([keras.Input((4,)), m])
        return m
    if kind == "wrapper":
        return keras.Sequential([keras.Input((3, 4)), layers.TimeDistributed(inner)])
    i = keras.Input((4,))
    return keras.Model(i, layers.Dense(1)(inner(i)))


for kind in ("sequence", "models", "wrapper", "functional"):
    for way, layer in (
        ("lambda", lambda: layers.Lambda(lambda x: (__import__("sys").audit("assize.ran"), x)[1])),
        ("shaped", lambda: layers.Lambda(lambda x: x, output_shape=lambda s: (__import__("sys").audit("assize.ran"), s)[1])),
        ("activation", lambda: layers.Dense(4, activation=lambda x: (__import__("sys").audit("assize.ran"), x)[1])),
    ):
        for ext in (".keras", ".h5", ".json"):
            try:
                m = wrap(kind, layer())
                path = os.path.join(to, f"{way}-{kind}{ext}")
                open(path, "w").write(m.to_json()) if ext == ".json" else m.save(path)
                cases.append(path)
            except Exception as e:
                print("not written:", way, kind, ext, type(e).__name__, file=sys.stderr)

# Configurations edited by hand: modules and functions that Keras is told to import.
base = keras.Sequential([keras.Input((4,)), layers.Dense(4, activation="relu")])
base.save(os.path.join(to, "base.keras"))
plain = json.loads(base.to_json())
code = base64.b64encode(marshal.dumps((lambda x: (__import__("sys").audit("assize.ran"), x)[1]).__code__)).decode()
function = lambda module, name: {"module": module, "class_name": "function", "config": name, "registered_name": "function"}
edits = {
    "builtins-exec": lambda c: c.update(activation=function("builtins", "exec")),
    "builtins-eval": lambda c: c.update(activation=function("builtins", "eval")),
    "os-system": lambda c: c.update(activation=function("os", "system")),
    "subprocess": lambda c: c.update(activation={"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}, "registered_name": None}),
    "os-class": lambda c: c.update(kernel_initializer={"module": "os", "class_name": "system", "config": {"command": "true"}, "registered_name": None}),
    "runpy": lambda c: c.update(activation=function("runpy", "run_path")),
    "get-file": lambda c: c.update(activation=function("keras.utils", "get_file")),
    "code": lambda c: c.update(activation={"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}),
    "switch": lambda c: c.update(activation=function("keras.config", "enable_unsafe_deserialization"), kernel_initializer={"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}),
    "registered": lambda c: c.update(activation={"module": "keras.layers", "class_name": "Lambda", "registered_name": "keras>Lambda", "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {"code": code, "defaults": None, "closure": None}}}}),
}
for name, edit in edits.items():
    text = json.loads(json.dumps(plain))
    edit(text["config"]["layers"][1]["config"])
    with zipfile.ZipFile(os.path.join(to, "base.keras")) as old, zipfile.ZipFile(place(name + ".keras"), "w") as new:
        for n in old.namelist():
            new.writestr(n, json.dumps(text) if n == "config.json" else old.read(n))
    open(place(name + ".json"), "w").write(json.dumps(text))
    with h5py.File(place(name + ".h5"), "w") as f:
        f.attrs["model_config"], f.attrs["keras_version"], f.attrs["backend"] = json.dumps(text), keras.__version__, "tensorflow"
        f.create_group("model_weights")


def module(name, body):
    class M(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
        def __call__(self, x):
            return body(x)

    tf.saved_model.save(M(), place(name + "-savedmodel"))


def after(make):
    def body(x):
        with tf.control_dependencies([make()]):
            return tf.identity(x)
    return body


target = tf.constant(os.path.join(to, "ran"))
module("writes", after(lambda: tf.raw_ops.WriteFile(filename=target, contents="")))
module("saves", after(lambda: tf.raw_ops.SaveV2(prefix=target, tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1.0)])))
module("prints", after(lambda: tf.raw_ops.PrintV2(input="x", output_stream="file://" + os.path.join(to, "ran"))))
module("reads", lambda x: x + tf.cast(tf.strings.length(tf.io.read_file("/dev/null")), tf.float32))
module("lists", lambda x: x + tf.cast(tf.size(tf.io.matching_files("/dev/nul?")), tf.float32))
module("debug", after(lambda: tf.raw_ops.DebugIdentityV2(input=tf.constant(1.0), tfdbg_context_id="c", debug_urls=["file://" + os.path.join(to, "ran")])))
module("conditional", lambda x: tf.cond(tf.reduce_sum(x) > -1, after(lambda: tf.raw_ops.WriteFile(filename=target, contents="")).__get__(x), lambda: x))
module("mapped", lambda x: tf.map_fn(after(lambda: tf.raw_ops.WriteFile(filename=target, contents="")), x))


# Checkpoints, which every ordinary model may write where its user says.
def save(prefix=target):
    return tf.raw_ops.SaveV2(prefix=prefix, tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1.0)])


@tf.function
def nested(x):
    return after(save)(x)


def loop(x):
    def body(i, v):
        with tf.control_dependencies([save()]):
            return i + 1, tf.identity(v)

    return tf.while_loop(lambda i, v: i < 1, body, [tf.constant(0), x])[1]


def mapped(x):
    return tf.reduce_sum(next(iter(tf.data.Dataset.from_tensors(x).map(after(save)).batch(1)))) + x


def restored(x):
    return x + tf.raw_ops.RestoreV2(prefix=target, tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32])[0]


def table(x):
    t = tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)
    with tf.control_dependencies([tf.raw_ops.InitializeTableFromTextFileV2(table_handle=t, filename="/dev/null", key_index=-2, value_index=-1)]):
        return tf.identity(x)


def merge(x):
    with tf.control_dependencies([save(tf.strings.join([target, "-part"]))]):
        with tf.control_dependencies([tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=tf.strings.join([[target], ["-part"]]), destination_prefix=target)]):
            return tf.identity(x)


module("saves-nested", lambda x: nested(nested(x)))
module("saves-loop", loop)
module("saves-mapped", mapped)
module("saves-joined", after(lambda: save(tf.strings.join([to, "/", "ran"]))))
module("saves-conditional", lambda x: tf.cond(tf.reduce_sum(x) > -1, lambda: nested(x), lambda: x))
module("saves-merged", merge)
module("restores", restored)
module("table", table)


class Named(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
    def __call__(self, name):
        with tf.control_dependencies([save(name)]):
            return tf.constant(1.0)


class Signature(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def other(self, x):
        return {"y": after(save)(x)}


class Loaded(tf.Module):
    """A resource whose initialisation, which loading runs, writes."""

    def __init__(self):
        self.resource = Resource()

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32)])
    def __call__(self, x):
        return x + tf.cast(tf.raw_ops.LookupTableSizeV2(table_handle=self.resource.resource_handle), tf.float32)


class Resource(tf.saved_model.experimental.TrackableResource):
    def _create_resource(self):
        return tf.raw_ops.HashTableV2(key_dtype=tf.string, value_dtype=tf.int64)

    def _initialize(self):
        save()


tf.saved_model.save(Named(), place("saves-named-savedmodel"))
signature = Signature()
tf.saved_model.save(signature, place("saves-signature-savedmodel"), signatures=signature.other)
tf.saved_model.save(Loaded(), place("saves-loaded-savedmodel"))


def first(name, **edits):
    """A model of version 1, whose signature, operation at loading or saver is another."""
    v1 = tf.compat.v1
    path = place(name + "-savedmodel")
    with tf.Graph().as_default():
        x = v1.placeholder(tf.float32, [None, 4], "x")
        y = tf.matmul(x, v1.get_variable("v", [4, 2]), name="y")
        write = tf.group(tf.raw_ops.SaveV2(prefix=os.path.join(to, "ran"), tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1.0)]))
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            b = v1.saved_model.Builder(path)
            b.add_meta_graph_and_variables(session, ["serve"], {"serving_default": v1.saved_model.predict_signature_def({"x": x}, {"y": y})}, main_op=write if edits.get("main") else None)
            b.save()
    file = os.path.join(path, "saved_model.pb")
    model = saved_model_pb2.SavedModel.FromString(open(file, "rb").read())
    g = model.meta_graphs[0]
    if edits.get("signature"):  # it returns what saving returns, and the file has a name already
        next(n for n in g.graph_def.node if n.name == "save/filename/input").attr["value"].tensor.string_val[:] = [os.path.join(to, "ran").encode()]
        g.signature_def["serving_default"].outputs["y"].name = g.saver_def.save_tensor_name
        g.signature_def["serving_default"].outputs["y"].dtype = 7
        g.signature_def["serving_default"].outputs["y"].tensor_shape.Clear()
    if edits.get("restore"):  # it writes before it restores
        restore = next(n for n in g.graph_def.node if n.name == g.saver_def.restore_op_name)
        restore.input.append("^" + next(n.name for n in g.graph_def.node if n.op == "SaveV2" and not n.name.startswith("save/")))
    open(file, "wb").write(model.SerializeToString())


first("saves-main", main=True)
first("saves-by-signature", signature=True)
first("saves-restored", restore=True)
written()


def child(path, pipe):
    seen = set()

    def hook(event, args):
        if event.startswith(("assize.", "os.system", "os.exec", "subprocess.", "socket.connect", "os.posix_spawn")) or event == "function.__new__" or event == "exec" and args[0].co_filename.endswith("keras_attacks.py"):
            seen.add(event)
            os.pwrite(pipe, " ".join(sorted(seen)).encode(), 0)

    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    keras.config.enable_unsafe_deserialization()
    sys.addaudithook(hook)
    try:
        if path.endswith(".json"):
            m = keras.models.model_from_json(open(path).read())
        else:
            m = keras.models.load_model(path, compile=False, safe_mode=False)
        m(np.ones([1] + [d or 1 for d in m.input_shape[1:]], "f4"))
    except BaseException:
        pass
    os._exit(0)


with open(os.path.join(to, "labels.tsv"), "w") as out:
    for path in (c for c in cases if not c.endswith("-savedmodel")):
        with tempfile.TemporaryFile() as t:
            pid = os.fork()
            if pid == 0:
                child(path, t.fileno())
            os.waitpid(pid, 0)
            t.seek(0)
            print(path, t.read().decode(), sep="\t", file=out, flush=True)
    subprocess.run([sys.executable, __file__, to, "call"], stdout=out, check=True)
