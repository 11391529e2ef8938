"""Write benign models in formats without pickles, by the libraries that own them: Keras,
TensorFlow, safetensors, gguf, XGBoost, LightGBM, CatBoost, ONNX. Archives and compressed
copies of some are added.

    python benign_formats.py FOLDER
"""
import bz2
import gzip
import lzma
import os
import shutil
import sys
import tarfile
import zipfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import catboost
import gguf
import keras
import lightgbm
import numpy as np
import onnx
import safetensors.numpy
import tensorflow as tf
import xgboost
from keras import layers

to = sys.argv[1]
os.makedirs(to, exist_ok=True)
rng = np.random.default_rng(0)
at = lambda *p: os.path.join(to, *p)

# Keras: many layers, functional, subclass-free, compiled with every optimiser.
inputs = {
    "dense": ((8,), lambda x: layers.Dense(3, activation="softmax")(layers.BatchNormalization()(layers.Dense(8, activation="gelu", kernel_regularizer="l2")(x)))),
    "conv": ((16, 16, 3), lambda x: layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", padding="same")(x)))),
    "separable": ((16, 16, 3), lambda x: layers.Flatten()(layers.MaxPooling2D()(layers.SeparableConv2D(4, 3)(layers.ZeroPadding2D()(x))))),
    "lstm": ((6, 4), lambda x: layers.Dense(1)(layers.LSTM(5, return_sequences=False)(x))),
    "gru": ((6, 4), lambda x: layers.TimeDistributed(layers.Dense(2))(layers.Bidirectional(layers.GRU(3, return_sequences=True))(x))),
    "attention": ((6, 4), lambda x: layers.LayerNormalization()(layers.MultiHeadAttention(2, 4)(x, x) + x)),
    "embedding": ((7,), lambda x: layers.GlobalMaxPooling1D()(layers.Embedding(50, 4)(x))),
    "operations": ((4,), lambda x: keras.ops.concatenate([keras.ops.relu(x), keras.ops.sqrt(keras.ops.abs(x) + 1)], axis=-1)),
    "named": ((4,), lambda x: layers.Dense(2, name="eval", activation=keras.activations.leaky_relu, kernel_initializer=keras.initializers.HeNormal(seed=1))(x)),
    "augmented": ((16, 16, 3), lambda x: layers.Rescaling(1 / 255.0)(layers.RandomFlip()(layers.Resizing(8, 8)(x)))),
    "dropout": ((9,), lambda x: layers.Softmax()(layers.Dropout(0.2)(layers.GaussianNoise(0.1)(x)))),
}
optimisers = ["adam", "sgd", "rmsprop", "adamw", "lion", "nadam", "adagrad", "adadelta", "adamax", "ftrl", "adafactor"]
for (name, (shape, body)), optimiser in zip(inputs.items(), optimisers):
    i = keras.Input(shape)
    m = keras.Model(i, body(i))
    if name == "dense":
        optimiser = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.1, 100))
    m.compile(optimiser, "mse", metrics=["mae", keras.metrics.RootMeanSquaredError()])
    m.save(at(name + ".keras"))
    m.save_weights(at(name + ".weights.h5"))
    m.save(at(name + ".h5"))
    open(at(name + ".json"), "w").write(m.to_json())
    if name in ("dense", "conv", "lstm", "attention"):
        m.export(at(name + "-savedmodel"), verbose=False)
words = layers.TextVectorization(max_tokens=20)
words.adapt(["the cat sat", "os.system is a word"])
i = keras.Input((1,), dtype="string")
keras.Model(i, layers.Embedding(20, 2)(words(i))).save(at("words.keras"))

# SavedModels with files of their own, and of version 1.
open(at("vocabulary.txt"), "w").write("the\ncat\n")
lines = lambda: tf.lookup.TextFileInitializer(at("vocabulary.txt"), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER)


class Tables(tf.Module):
    def __init__(self):
        self.fixed, self.open = tf.lookup.StaticHashTable(lines(), -1), tf.lookup.StaticVocabularyTable(lines(), 2)
        self.growing = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
        self.asset = tf.saved_model.Asset(at("vocabulary.txt"))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def __call__(self, x):
        return tf.map_fn(lambda v: v * 2, self.fixed.lookup(x) + self.open.lookup(x) + self.growing.lookup(x))

    @tf.function(input_signature=[])
    def path(self):
        return self.asset.asset_path


tables = Tables()
tf.saved_model.save(tables, at("tables-savedmodel"), signatures=tables.__call__.get_concrete_function())
tf.saved_model.save(m, at("kept-savedmodel"))
i = keras.Input((1,), dtype="string")
keras.Model(i, layers.Embedding(20, 2)(words(i))).export(at("words-savedmodel"), verbose=False)
v1 = tf.compat.v1
for way in ("main", "legacy", "simple"):
    with tf.Graph().as_default():
        text, x1 = v1.placeholder(tf.string, [None]), v1.placeholder(tf.float32, [None, 2])
        y1, found = tf.matmul(x1, v1.get_variable("v", [2, 2])), tf.lookup.StaticHashTable(lines(), -1).lookup(text)
        v1.train.Saver()  # which training leaves
        v1.train.Saver(sharded=True)
        with v1.Session() as session:
            session.run([v1.global_variables_initializer(), v1.tables_initializer()])
            ins, outs, folder = {"x": x1, "text": text}, {"y": y1, "found": found}, at(f"v1-{way}-savedmodel")
            if way == "simple":
                v1.saved_model.simple_save(session, folder, ins, outs)
                continue
            b = v1.saved_model.Builder(folder)
            start = {"main_op" if way == "main" else "legacy_init_op": v1.tables_initializer()}
            b.add_meta_graph_and_variables(session, ["serve"], {"serving_default": v1.saved_model.predict_signature_def(ins, outs)}, assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS), **start)
            b.save()

for n, dtype in enumerate([np.float32, np.float16, np.int64, np.uint8, np.bool_, np.float64]):
    safetensors.numpy.save_file({f"layer.{k}.weight": rng.random((k + 1, 8)).astype(dtype) for k in range(5)} | {"empty": np.zeros((0, 3), dtype)}, at(f"t{n}.safetensors"), metadata={"format": "np"})

x, y = rng.random((300, 6)), rng.integers(0, 3, 300)
for objective, target in (("binary:logistic", y > 0), ("multi:softprob", y), ("reg:squarederror", x[:, 0])):
    for booster in ("gbtree", "dart", "gblinear"):
        p = {"objective": objective, "booster": booster, "verbosity": 0} | ({"num_class": 3} if "multi" in objective else {})
        b = xgboost.train(p, xgboost.DMatrix(x, target.astype(float)), 5)
        for ext in ("json", "ubj"):
            b.save_model(at(f"xgb-{objective.replace(':', '-')}-{booster}.{ext}"))
c = xgboost.XGBClassifier(n_estimators=4)
c.fit(x, y)
c.save_model(at("xgb-sklearn.json"))
for objective, target in (("binary", y > 0), ("multiclass", y), ("regression", x[:, 0])):
    for boosting in ("gbdt", "dart", "rf"):
        p = {"objective": objective, "boosting": boosting, "verbose": -1, "bagging_freq": 1, "bagging_fraction": 0.7} | ({"num_class": 3} if objective == "multiclass" else {})
        b = lightgbm.train(p, lightgbm.Dataset(x, target.astype(float)), 5)
        b.save_model(at(f"lgb-{objective}-{boosting}.txt"))
        import json
        json.dump(b.dump_model(), open(at(f"lgb-{objective}-{boosting}.json"), "w"))
b = lightgbm.train({"verbose": -1, "linear_tree": True}, lightgbm.Dataset(x, x[:, 1]), 3)
b.save_model(at("lgb-linear.txt"))
b = lightgbm.train({"verbose": -1, "min_data_per_group": 1, "cat_smooth": 0, "min_data_in_leaf": 2}, lightgbm.Dataset(np.c_[rng.integers(0, 9, 300), x], x[:, 1], categorical_feature=[0]), 3)
b.save_model(at("lgb-categories.txt"))
for depth in (2, 4):
    for policy in ("SymmetricTree", "Depthwise", "Lossguide"):
        m = catboost.CatBoostClassifier(iterations=4, depth=depth, grow_policy=policy, verbose=0, allow_writing_files=False).fit(x, y)
        m.save_model(at(f"cat-{depth}-{policy}.cbm"))
        if policy != "Lossguide":
            m.save_model(at(f"cat-{depth}-{policy}.json"), format="json")
quiet = {"verbose": 0, "allow_writing_files": False}
pool = catboost.Pool([[f"c{i}", f"d{j}", v] for i, j, v in zip(rng.integers(0, 20, 300), rng.integers(0, 2, 300), x[:, 0])], y, cat_features=[0, 1])
for loss, ctr in (("MultiClass", ["Borders", "Buckets", "Counter"]), ("RMSE", ["BinarizedTargetMeanValue", "Counter"])):
    catboost.CatBoost({"iterations": 5, "depth": 4, "loss_function": loss, "simple_ctr": ctr, "combinations_ctr": ctr, "max_ctr_complexity": 2} | quiet).fit(pool).save_model(at(f"cat-{loss}-categories.cbm"))
texts = [" ".join(rng.choice("the cat sat on a mat and looked".split(), 5)) for _ in x]
for calcers in (["BoW", "NaiveBayes"], ["BM25"]):
    pool = catboost.Pool([[t, v] for t, v in zip(texts, x[:, 0])], y, text_features=[0])
    catboost.CatBoostClassifier(iterations=5, feature_calcers=calcers, **quiet).fit(pool).save_model(at(f"cat-texts-{calcers[0]}.cbm"))
vectors = rng.normal(size=(300, 3))
for name, target in (("classes", vectors[:, 0] > 0), ("numbers", vectors[:, 0])):
    pool = catboost.Pool([[v, list(e)] for v, e in zip(x[:, 0], vectors)], target, embedding_features=[1])
    catboost.CatBoost({"iterations": 5, "loss_function": "Logloss" if name == "classes" else "RMSE"} | quiet).fit(pool).save_model(at(f"cat-embeddings-{name}.cbm"))
some = [catboost.CatBoostRegressor(iterations=3, depth=d, **quiet).fit(x, x[:, 1]) for d in (1, 6)]
catboost.sum_models(some).save_model(at("cat-sum.cbm"))

# XGBoost's old binary format, as version 1.7.6 wrote it: later ones cannot.
recorded = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "internal", "tree", "testdata", "old-1.7.6.tar.gz")
with tarfile.open(recorded) as t:
    for member in t:
        if member.name.endswith(".model"):
            open(at("xgb-" + member.name), "wb").write(t.extractfile(member).read())

for n, arch in enumerate(["llama", "bert", "gpt2"]):
    w = gguf.GGUFWriter(at(f"{arch}.gguf"), arch)
    w.add_token_list([f"w{i}" for i in range(1000)])
    w.add_chat_template("{{ bos_token }}{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ '<start_of_turn>' + m['role'] + '\n' + m['content'] | trim + '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}")
    for k in range(6):
        t = rng.random((4, 256)).astype(np.float32)
        q = [None, gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_0][k % 3]
        w.add_tensor(f"blk.{k}.weight", t if q is None else gguf.quants.quantize(t, q), raw_dtype=q)
    w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close()

from onnx import helper, numpy_helper, TensorProto
for n in range(4):
    weight = numpy_helper.from_array(rng.random((4, 4)).astype(np.float32), "w")
    g = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node(["Relu", "Sigmoid", "Tanh", "Softmax"][n], ["h"], ["y"])], "g",
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 4])], [weight])
    onnx.save(helper.make_model(g), at(f"m{n}.onnx"))

some = ["dense.keras", "t0.safetensors", "lgb-binary-gbdt.txt", "xgb-sklearn.json", "m0.onnx"]
with zipfile.ZipFile(at("some.zip"), "w", zipfile.ZIP_DEFLATED) as z:
    for s in some:
        z.write(at(s), s)
for mode in ("gz", "bz2", "xz", ""):
    with tarfile.open(at("some.tar" + ("." + mode if mode else "")), "w:" + mode) as t:
        for s in some:
            t.add(at(s), s)
for pack, ext in ((gzip, "gz"), (bz2, "bz2"), (lzma, "xz")):
    with open(at("lgb-binary-gbdt.txt"), "rb") as f, pack.open(at("lgb.txt." + ext), "wb") as g:
        shutil.copyfileobj(f, g)
