"""Both optimizers against PyTorch's, step by step. PyTorch is no dependency: skipped without it."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks.train.optimizers import optimizer, schedule, update
from tasks.base import Recipe

torch = pytest.importorskip("torch", reason="PyTorch is not installed; it is only compared with")

STEPS = 40
RECIPES = {
    "sgd": Recipe(STEPS, 1, 0.1, optimizer="sgd", weight_decay=0.05, warmup=5, clip=2.0),
    "adamw": Recipe(STEPS, 1, 0.1, weight_decay=0.05, warmup=5, clip=2.0, beta2=0.98),
}
THEIRS = {
    "sgd": lambda groups: torch.optim.SGD(groups, lr=1.0, momentum=0.9, nesterov=True),
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=1.0, betas=(0.9, 0.98)),
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_step_is_that_of_torch(name):
    """A matrix, which decays, and a bias, which does not; gradients whose norm is now above the clip and now below."""
    rng, recipe = np.random.default_rng(0), RECIPES[name]
    kernel, bias = np.float32(rng.normal(size=(3, 4))), np.float32(rng.normal(size=4))
    gradients = [
        [np.float32(rng.normal(size=a.shape)) * rng.uniform(0.1, 1.5) for a in (kernel, bias)] for _ in range(STEPS)
    ]
    tx, ours = optimizer(recipe), {"params": {"kernel": jnp.asarray(kernel), "bias": jnp.asarray(bias)}, "train": ()}
    moments, theirs = tx.init(ours), [torch.tensor(kernel), torch.tensor(bias)]
    groups = [{"params": [theirs[0]], "weight_decay": 0.05}, {"params": [theirs[1]], "weight_decay": 0.0}]
    stepper = THEIRS[name](groups)
    for step, (to_kernel, to_bias) in enumerate(gradients):
        grads = {"params": {"kernel": jnp.asarray(to_kernel), "bias": jnp.asarray(to_bias)}, "train": ()}
        ours, moments = update(tx, moments, ours, grads, None, 1.0)
        theirs[0].grad, theirs[1].grad = torch.tensor(to_kernel), torch.tensor(to_bias)
        torch.nn.utils.clip_grad_norm_(theirs, 2.0)
        for group in stepper.param_groups:
            group["lr"] = float(schedule(recipe)(step))
        stepper.step()
        assert_allclose(ours["params"]["kernel"], theirs[0].numpy(), rtol=2e-5, atol=2e-5)
        assert_allclose(ours["params"]["bias"], theirs[1].numpy(), rtol=2e-5, atol=2e-5)
