"""The ranking model (TensorFlow 2): asymmetric factorisation with a content item tower."""
