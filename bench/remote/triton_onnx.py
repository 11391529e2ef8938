"""Triton Inference Server for one ONNX model, by its Python backend: python triton_onnx.py MODEL."""

import argparse

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

parser = argparse.ArgumentParser()
parser.add_argument("--http_port", type=int)
parser.add_argument("--grpc_port", type=int)
parser.add_argument("path")
args = parser.parse_args()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(args.path, options)


@batch
def infer(input):
    return {"probabilities": session.run(["probabilities"], {"input": input})[0]}


config = TritonConfig(http_address="127.0.0.1", http_port=args.http_port, grpc_address="127.0.0.1", grpc_port=args.grpc_port, allow_metrics=False)
with Triton(config=config) as triton:
    triton.bind(
        model_name="credit",
        infer_func=infer,
        inputs=[Tensor(name="input", dtype=np.float32, shape=(20,))],
        outputs=[Tensor(name="probabilities", dtype=np.float32, shape=(2,))],
        config=ModelConfig(max_batch_size=1000),
    )
    triton.serve()
