"""The names of the files of a trained and of an exported next-item model."""

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "weights.safetensors"
TRAINING_FILE = "training.json"
ONNX_FILE = "model.onnx"
EMBEDDING_FILE = "item_embedding.safetensors"
EMBEDDING_KEY = "item_embedding"
EXPORT_FILE = "export.json"
