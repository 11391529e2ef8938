"""Write small SavedModels by TensorFlow and Keras. Clean ones begin with ok, hostile ones
with bad; what these call does nothing.

    python savedmodel_cases.py internal/scan/savedmodel/testdata
"""
import os
import shutil
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

to = os.path.abspath(sys.argv[1])
os.makedirs(to, exist_ok=True)


def keep(folder, name):
    shutil.copy(os.path.join(folder, "saved_model.pb"), os.path.join(to, name + ".pb"))


with tempfile.TemporaryDirectory() as d:
    m = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(2, activation="relu"), keras.layers.Dropout(0.1)])
    m.export(d + "/keras", verbose=False)
    keep(d + "/keras", "ok-keras")
    shutil.copy(d + "/keras/variables/variables.index", os.path.join(to, "ok-variables.index"))
    shutil.copy(d + "/keras/fingerprint.pb", os.path.join(to, "ok-fingerprint.pb"))

    def module(body, name):
        class M(tf.Module):
            def __init__(self):
                self.w = tf.Variable([[1.0, 2.0]])

            @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32)])
            def __call__(self, x):
                return body(x @ self.w)

        tf.saved_model.save(M(), d + "/" + name)
        keep(d + "/" + name, name)

    module(lambda x: tf.nn.softmax(tf.cond(tf.reduce_sum(x) > 0, lambda: x, lambda: -x)), "ok-module")

    def reads(x):
        return x + tf.cast(tf.strings.length(tf.io.read_file("/dev/null")), tf.float32)

    def writes(x):
        with tf.control_dependencies([tf.raw_ops.WriteFile(filename="/dev/null", contents="")]):
            return tf.identity(x)

    module(lambda x: tf.numpy_function(lambda v: v, [x], tf.float32), "bad-pyfunc")
    module(reads, "bad-read")
    module(writes, "bad-write")

    # Files of the model, and checkpoints: who names them is what counts.
    os.chdir(d)  # so that no path of this machine is kept
    vocabulary = "vocabulary.txt"
    open(vocabulary, "w").write("a\nb\n")
    lines = lambda path: tf.lookup.TextFileInitializer(path, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)

    class Tables(tf.Module):
        def __init__(self):
            self.fixed = tf.lookup.StaticHashTable(lines(vocabulary), -1)
            self.growing = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, x):
            return self.fixed.lookup(x) + self.growing.lookup(x)

    tf.saved_model.save(Tables(), d + "/tables")
    keep(d + "/tables", "ok-tables")

    def save():
        return tf.raw_ops.SaveV2(prefix="/dev/null", tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1.0)])

    @tf.function
    def saved(x):
        with tf.control_dependencies([save()]):
            return tf.identity(x)

    def body(i, v):
        with tf.control_dependencies([save()]):
            return i + 1, tf.identity(v)

    module(lambda x: saved(x), "bad-saves-nested")
    module(lambda x: tf.while_loop(lambda i, v: i < 1, body, [tf.constant(0), x])[1], "bad-saves-loop")

    v1 = tf.compat.v1

    def first(name, edit=lambda g: None):
        with tf.Graph().as_default():
            x = v1.placeholder(tf.float32, [None, 2], "x")
            y = tf.matmul(x, v1.get_variable("v", [2, 2]), name="y")
            words = v1.placeholder(tf.string, [None], "words")
            z = tf.lookup.StaticHashTable(lines(vocabulary), -1).lookup(words)
            v1.train.Saver()  # two that the model does not use
            v1.train.Saver(sharded=True)
            write = tf.group(save())
            with v1.Session() as session:
                session.run([v1.global_variables_initializer(), v1.tables_initializer()])
                b = v1.saved_model.Builder(d + "/" + name)
                s = v1.saved_model.predict_signature_def({"x": x, "words": words}, {"y": y, "z": z})
                start = write if "main" in name else v1.tables_initializer()
                b.add_meta_graph_and_variables(session, ["serve"], {"serving_default": s}, assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS), main_op=start)
                b.save()
        file = d + "/" + name + "/saved_model.pb"
        model = saved_model_pb2.SavedModel.FromString(open(file, "rb").read())
        g = model.meta_graphs[0]
        edit(g)
        open(file, "wb").write(model.SerializeToString())
        keep(d + "/" + name, name)

    def by_signature(g):
        g.signature_def["serving_default"].outputs["y"].name = g.saver_def.save_tensor_name

    def by_restoring(g):
        next(n for n in g.graph_def.node if n.name == g.saver_def.restore_op_name).input.append("^SaveV2")

    def without_files(g):
        del g.asset_file_def[:]
        del g.collection_def["saved_model_assets"]

    first("ok-first")
    first("bad-first-main")
    first("bad-first-signature", edit=by_signature)
    first("bad-first-restored", edit=by_restoring)
    first("bad-first-files", edit=without_files)
    os.chdir(to)
