"""Write small GGUF files by gguf.

    python gguf_cases.py internal/scan/gguf/testdata
"""
import os
import sys

import gguf
import numpy as np

for name, endian in (("ok.gguf", gguf.GGUFEndian.LITTLE), ("ok-big.gguf", gguf.GGUFEndian.BIG)):
    w = gguf.GGUFWriter(os.path.join(sys.argv[1], name), "llama", endianess=endian)
    w.add_context_length(128)
    w.add_token_list(["<s>", "</s>", "os.system", "__init__"])
    w.add_token_scores([0.0, 0.0, -1.0, -2.0])
    w.add_bool("some.flag", True)
    w.add_chat_template("{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}")
    x = np.arange(96, dtype=np.float32).reshape(3, 32)
    w.add_tensor("a.weight", x)
    w.add_tensor("b.weight", x.astype(np.float16))
    w.add_tensor("c.weight", gguf.quants.quantize(x, gguf.GGMLQuantizationType.Q8_0), raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()
