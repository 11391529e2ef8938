"""Writes models of TensorFlow Lite: python tflite_cases.py FOLDER

Five that only compute (one with TensorFlow's operators, one with an archive of metadata behind it), one with an
operator that nobody knows, and one that reads a file. Needs tensorflow; those in internal/scan/tflite/testdata are of 2.21.0.
"""
import io, os, sys, zipfile
import numpy as np, tensorflow as tf

os.makedirs(sys.argv[1], exist_ok=True)
os.chdir(sys.argv[1])
lite, layers = tf.lite, tf.keras.layers
both = [lite.OpsSet.TFLITE_BUILTINS, lite.OpsSet.SELECT_TF_OPS]


def save(name, converter, **settings):
    for k, v in settings.items():
        setattr(converter, k, v)
    b = converter.convert()
    open(name + ".tflite", "wb").write(b)
    return b


def of(function, *inputs):
    f = tf.function(function, input_signature=[tf.TensorSpec(*i) for i in inputs]).get_concrete_function()
    return lite.TFLiteConverter.from_concrete_functions([f])


cnn = tf.keras.Sequential([layers.Input((8, 8, 1)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPool2D(), layers.Flatten(), layers.Dense(3, activation="softmax")])
lstm = tf.keras.Sequential([layers.Input((5, 4)), layers.LSTM(6), layers.Dense(2)])
plain = save("cnn", lite.TFLiteConverter.from_keras_model(cnn))
c = lite.TFLiteConverter.from_keras_model(cnn)
c.target_spec.supported_ops = [lite.OpsSet.TFLITE_BUILTINS_INT8]
save("int8", c, optimizations=[lite.Optimize.DEFAULT], representative_dataset=lambda: ([np.random.rand(1, 8, 8, 1).astype("f4")] for _ in range(10)))
c = lite.TFLiteConverter.from_keras_model(lstm)
c.target_spec.supported_ops = both
save("lstm", c, _experimental_lower_tensor_list_ops=False)
c = lite.TFLiteConverter.from_keras_model(tf.keras.applications.MobileNetV2(weights=None))
save("mobilenet", c)
c = of(tf.io.read_file, ([], tf.string))
c.target_spec.supported_ops = both
save("readfile", c)
save("custom", of(lambda x: tf.raw_ops.Erfinv(x=x), ([None], tf.float32)), allow_custom_ops=True)
f = io.BytesIO(plain)
with zipfile.ZipFile(f, "a") as z:
    z.writestr("labels.txt", "a\nb\nc\n")
open("metadata.tflite", "wb").write(f.getvalue())
