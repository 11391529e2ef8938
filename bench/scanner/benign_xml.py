"""Write benign PMML by nyoka and benign networks by OpenVINO, in an environment of their own:
pip install nyoka openvino scikit-learn pandas, then python benign_xml.py FOLDER
"""
import os
import sys
import warnings

warnings.filterwarnings("ignore")
import nyoka
import numpy as np
import openvino
import pandas as pd
from openvino import opset13 as ops
from sklearn import cluster, ensemble, linear_model, naive_bayes, neighbors, neural_network, preprocessing, svm, tree
from sklearn.pipeline import Pipeline

to = sys.argv[1]
os.makedirs(to, exist_ok=True)
at = lambda name: os.path.join(to, name)
rng = np.random.default_rng(0)
f4 = lambda *shape: ops.constant(rng.normal(size=shape).astype("f4"))

x = pd.DataFrame(rng.random((100, 3)), columns=list("abc"))
y = (x.a > 0.5).astype(int)
for name, m in {
    "tree": tree.DecisionTreeClassifier(max_depth=3), "forest": ensemble.RandomForestClassifier(5, max_depth=3), "boost": ensemble.GradientBoostingClassifier(n_estimators=5),
    "linear": linear_model.LinearRegression(), "logistic": linear_model.LogisticRegression(), "svc": svm.SVC(), "bayes": naive_bayes.GaussianNB(),
    "neighbours": neighbors.KNeighborsClassifier(), "kmeans": cluster.KMeans(3), "network": neural_network.MLPClassifier((4,)),
}.items():
    p = Pipeline([("scale", preprocessing.StandardScaler()), ("model", m)]).fit(x, y)
    nyoka.skl_to_pmml(p, list("abc"), "y", at(name + ".pmml"))

i = ops.parameter([-1, 256], np.float32)
h = i
for _ in range(6):
    h = ops.relu(ops.matmul(h, f4(256, 256), False, False))
image = ops.parameter([-1, 3, 32, 32], np.float32)
c = ops.max_pool(ops.convolution(image, f4(4, 3, 3, 3), [1, 1], [0, 0], [0, 0], [1, 1]), [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
c = ops.softmax(ops.prelu(c, ops.constant(np.float32(0.1))), 1)
series = ops.parameter([1, 5, 4], np.float32)
cell = ops.lstm_sequence(series, f4(1, 1, 3), f4(1, 1, 3), ops.constant(np.array([5])), f4(1, 12, 4), f4(1, 12, 3), f4(1, 12), 3, "forward")
for name, inputs, output in (("dense", i, h), ("conv", image, c), ("lstm", series, cell.output(0))):
    for half in (False, True):
        openvino.save_model(openvino.Model([output], [inputs], name), at(f"{name}-{half}.xml"), compress_to_fp16=half)
