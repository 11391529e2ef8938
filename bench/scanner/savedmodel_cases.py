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

to = sys.argv[1]
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
