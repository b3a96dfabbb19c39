import numpy as np
import pytest
import tensorflow as tf

from stylerec.models.ranking.parameters import Parameters, ResidualLayers


class TestParameters:
    def test_initial_values_depend_on_seed_and_name_only(self) -> None:
        first, second = Parameters(7), Parameters(7)
        second.normal("other", 3)
        np.testing.assert_array_equal(first.normal("a", 2, 3), second.normal("a", 2, 3))

    def test_other_names_and_seeds_have_other_values(self) -> None:
        parameters = Parameters(7)
        values = parameters.normal("a", 4).numpy()
        assert (values != parameters.normal("b", 4).numpy()).all()
        assert (values != Parameters(8).normal("a", 4).numpy()).all()

    def test_fixed_weights_do_not_train(self) -> None:
        parameters = Parameters(7)
        parameters.fixed("mask", np.ones(3, np.float32))
        weight = parameters.zeros("bias", 3)
        assert list(parameters.variables) == ["mask", "bias"]
        assert len(parameters.trainable) == 1
        assert parameters.trainable[0] is weight

    def test_a_name_is_used_once(self) -> None:
        parameters = Parameters(7)
        parameters.zeros("bias", 3)
        with pytest.raises(AssertionError, match="bias"):
            parameters.zeros("bias", 3)


class TestResidualLayers:
    def test_is_the_identity_before_training(self) -> None:
        layers = ResidualLayers(Parameters(7), "layer", width=3, num_layers=2)
        x = np.array([[1.0, -2.0, 3.0]], np.float32)
        np.testing.assert_array_equal(layers(x), x)

    def test_adds_the_dense_layers_output(self) -> None:
        parameters = Parameters(7)
        layers = ResidualLayers(parameters, "layer", width=1, num_layers=1)
        parameters.variables["layer.0.inner"].assign([[0.0, 0.0]])
        parameters.variables["layer.0.bias"].assign([30.0, -30.0])
        parameters.variables["layer.0.outer"].assign([[2.0], [5.0]])
        # gelu(30) = 30 and gelu(-30) = 0 to float precision.
        assert layers(tf.constant([[1.0]])).numpy().item() == pytest.approx(1.0 + 2.0 * 30.0)
