"""Kernels at values of int8, each weight alone or all together."""

import numpy as np
import pytest

from fer_edge.training.rounding import covariance, rounded, rounded_together, step_of


def test_a_rounded_kernel_has_the_values_of_int8_and_is_its_own_rounding() -> None:
    kernel = np.random.default_rng(5).normal(size=(3, 3, 4, 6)).astype("float32")
    kernel[..., 5] = 0
    nearest = rounded(kernel)
    largest = np.abs(kernel).max((0, 1, 2))
    np.testing.assert_allclose(np.abs(nearest).max((0, 1, 2)), largest, rtol=1e-6)
    assert (np.abs(nearest - kernel) <= largest / 254 * 1.001).all()
    np.testing.assert_allclose(rounded(nearest), nearest, rtol=1e-6)


@pytest.fixture
def kernel() -> np.ndarray:
    return np.random.default_rng(6).normal(size=(48, 20)).astype("float32")


def test_inputs_that_go_together_make_up_for_each_others_errors(kernel) -> None:
    rng = np.random.default_rng(7)
    inputs = rng.normal(size=(4000, 8)) @ rng.normal(size=(8, 48)) + 3
    inputs += 0.1 * rng.normal(size=inputs.shape)
    inputs = inputs.astype("float32")
    together = rounded_together(kernel, covariance(inputs))
    errors = [(inputs @ (made - kernel)).std(0) for made in (rounded(kernel), together)]
    assert errors[1].mean() < 0.3 * errors[0].mean()


def test_alone_each_weight_gets_the_nearest_value(kernel) -> None:
    apart = np.diag(np.random.default_rng(8).uniform(0.5, 2, 48))
    np.testing.assert_allclose(rounded_together(kernel, apart), rounded(kernel), atol=1e-6)


def test_what_the_converter_makes_of_it_is_itself(kernel) -> None:
    kernel[:, 3] = 0
    inputs = np.random.default_rng(9).normal(size=(10, 48)).astype("float32")
    made = rounded_together(kernel, covariance(inputs))
    assert made.dtype == np.float32
    np.testing.assert_allclose(step_of(made), step_of(kernel), rtol=1e-6)
    np.testing.assert_allclose(rounded(made), made, atol=1e-6)


def test_inputs_that_never_change_are_no_matter(kernel) -> None:
    still = np.ones((5, 48), "float32")
    np.testing.assert_allclose(
        rounded_together(kernel, covariance(still)), rounded(kernel), atol=1e-6
    )


def test_covariance_is_numpys() -> None:
    maps = np.random.default_rng(10).normal(5, 2, (3, 4, 4, 6)).astype("float32")
    expected = np.cov(maps.reshape(-1, 6), rowvar=False, bias=True)
    np.testing.assert_allclose(covariance(maps), expected, rtol=1e-3, atol=1e-4)
