"""A KServe model server for one ONNX model: python kserve_onnx.py --model_name credit MODEL."""

import argparse

import numpy as np
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer, model_server


class OnnxModel(Model):
    def __init__(self, name, path):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)
        self.ready = True

    def predict(self, payload, headers=None, response_headers=None):
        x = payload.inputs[0].as_numpy()
        out = np.asarray(self.session.run(["probabilities"], {"input": x})[0])
        result = InferOutput(name="probabilities", shape=list(out.shape), datatype="FP32")
        result.set_data_from_numpy(out, binary_data=False)
        return InferResponse(response_id="", model_name=self.name, infer_outputs=[result])


parser = argparse.ArgumentParser(parents=[model_server.parser])
parser.add_argument("path")
args = parser.parse_args()
ModelServer(workers=1, http_port=args.http_port, grpc_port=args.grpc_port).start([OnnxModel(args.model_name, args.path)])
