"""The image that components run in on a cluster; the laptop's runner uses its own interpreter."""

COMPONENT_IMAGE = "stylerec/components:0.1.0"
TRAINING_IMAGE = "stylerec/training:0.1.0"
