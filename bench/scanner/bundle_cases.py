"""Writes archives for servers: python bundle_cases.py FOLDER

MAR files by torch-model-archiver and .nemo files as NeMo lays them out (a configuration that OmegaConf
saved, weights that torch saved). Needs torch, omegaconf and torch-model-archiver; payloads do nothing.
"""
import io, pathlib, subprocess, sys, tarfile

import torch
from omegaconf import OmegaConf

out = pathlib.Path(sys.argv[1]).absolute()
out.mkdir(parents=True, exist_ok=True)
weights = out / "w.pt"
torch.save(torch.nn.Linear(2, 1).state_dict(), weights)
(out / "handler.py").write_text("def handle(data, context):\n    return data\n")
for name, handler in (("plain", "image_classifier"), ("coded", str(out / "handler.py"))):
    subprocess.run([str(pathlib.Path(sys.executable).parent / "torch-model-archiver"), "--model-name", name, "--version", "1.0", "--serialized-file", str(weights),
                    "--handler", handler, "--export-path", str(out), "--force"], check=True)

config = {
    "sample_rate": 16000, "train_ds": {"manifest_filepath": "???", "sample_rate": "${sample_rate}", "labels": [" ", "a", "'", "é", "target", ":"]},
    "preprocessor": {"_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor", "window": "hann", "dither": 1e-5},
    "decoder": {"_target_": "nemo.collections.asr.modules.ConvASRDecoder", "vocabulary": [], "kwargs": {}, "text": "a long text " * 30},
    "optim": {"name": "adamw", "betas": [0.9, 0.98]}, "target": "nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE", "nemo_version": "2.4.0",
}
for name, extra in (("plain", {}), ("command", {"loss": {"_target_": "os.system", "command": "true"}}), ("own", {"loss": {"_target_": "my.losses.Loss"}})):
    with tarfile.open(out / f"{name}.nemo", "w:gz" if name == "plain" else "w") as tar:
        for member, b in (("./model_config.yaml", OmegaConf.to_yaml(OmegaConf.create(config | extra)).encode()), ("./model_weights.ckpt", weights.read_bytes())):
            info = tarfile.TarInfo(member)
            info.size = len(b)
            tar.addfile(info, io.BytesIO(b))
weights.unlink()
(out / "handler.py").unlink()
