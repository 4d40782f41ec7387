"""Convolutions and pooling: the values and parameters of `nn.Conv`, in a form that is fast on CPUs, too."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from flax import linen as nn

LECUN = nn.initializers.lecun_normal()
HE = nn.initializers.he_normal()  # before a ReLU (He et al. 2015, arXiv 1502.01852, §2.2)

Pair = tuple[int, int]  # along H and W
Padding = str | tuple[Pair, Pair]  # "SAME", "VALID", or zeros before and after, of H and of W


def conv(x: jax.Array, kernel: jax.Array, strides: Pair = (1, 1), padding: Padding = "SAME") -> jax.Array:
    """Returns the convolution [B, H', W', D] of images with a kernel.

    Differentiates in reverse only, as often as one likes: a Hessian times v is grad of ⟨grad, v⟩, not jvp of grad.

    Args:
        x: [B, H, W, C] float.
        kernel: [h, w, C, D] float.
        strides: along H and W.
        padding: of H and W.
    """
    return _conv(x, kernel, strides, pads_of(padding, x.shape[1:3], kernel.shape[:2], strides))


def pads_of(padding: Padding, sides: Sequence[int], reach: Sequence[int], strides: Pair) -> tuple[Pair, ...]:
    """Returns the zeros (before, after) along H and along W that a padding stands for.

    Args:
        padding: "SAME", "VALID", or the zeros themselves.
        sides: H and W of the images.
        reach: places along H and W that the kernel spans.
        strides: along H and W.
    """
    return tuple(jax.lax.padtype_to_pads(sides, reach, strides, padding)) if isinstance(padding, str) else padding


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _conv(x, kernel, strides, pads):
    return jax.lax.conv_general_dilated(x, kernel, strides, pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _forward(x, kernel, strides, pads):
    return _conv(x, kernel, strides, pads), (x, kernel)


def _backward(strides, pads, saved, dy):
    x, kernel = saved
    # JAX's types allow for another class, custom_vjp3, which only an option of JAX makes.
    plain = partial(_conv.fun, strides=strides, pads=pads)  # pyright: ignore[reportAttributeAccessIssue]
    dx = lambda dy, kernel: jax.vjp(lambda x: plain(x, kernel), x)[1](dy)[0]  # noqa: E731
    if strides == (1, 1) and 2 * math.prod(dy.shape[1:3]) <= math.prod(x.shape[1:3]):
        cpu = partial(_input_gradient, sides=x.shape[1:3], pads=pads)
        dx = partial(jax.lax.platform_dependent, cpu=cpu, default=dx)
    cpu = partial(_kernel_gradient, size=kernel.shape[:2], strides=strides, pads=pads)
    xla = lambda x, dy: jax.vjp(lambda k: plain(x, k), kernel)[1](dy)[0]  # noqa: E731
    return dx(dy, kernel), jax.lax.platform_dependent(x, dy, cpu=cpu, default=xla)


_conv.defvjp(_forward, _backward)


def _input_gradient(dy, kernel, sides, pads):
    """dx[b, p + i, q + j] += dy[b, p, q] · Kᵀ[i, j], of strides 1: one matrix product and a sum of shifted copies.

    XLA convolves dy, padded to the size of x, instead: |x| / |dy| times as many products. Where that is less than 2, it
    is faster all the same.
    """
    copies = jnp.einsum("bpqd,ijcd->ijbpqc", dy, kernel)
    rows, columns, batch, height, width, channels = copies.shape
    dx = jnp.zeros((batch, height + rows - 1, width + columns - 1, channels), dy.dtype)
    for i in range(rows):
        for j in range(columns):
            dx = dx.at[:, i : i + height, j : j + width].add(copies[i, j])
    (top, _), (left, _) = pads
    return dx[:, top : top + sides[0], left : left + sides[1]]


def _kernel_gradient(x, dy, size, strides, pads):
    """dK[i, j] = Σ x[b, s·p + i, t·q + j] ⊗ dy[b, p, q] as one matrix product.

    On CPUs, XLA transposes both tensors for it instead, which costs more than all the rest.

    Columns j are shifted copies of x. Rows i are shifted copies of x, too, or else of dy, whichever is less to copy.
    """
    (rows, columns), channels, outputs = size, x.shape[-1], dy.shape[-1]
    if rows * columns * channels <= columns * channels + rows * outputs:
        kernel = _product(shifted(x, size, strides, pads), [dy])
        return kernel.reshape(rows, columns, channels, outputs)
    last = x.shape[1] - (dy.shape[1] - 1) * strides[0] - 1
    starts = [i - pads[0][0] for i in range(rows)]
    moved = [jax.lax.pad(dy, 0.0, ((0, 0, 0), (i, last - i, strides[0] - 1), (0, 0, 0), (0, 0, 0))) for i in starts]
    kernel = _product(shifted(x, (1, columns), (1, strides[1]), ((0, 0), pads[1])), moved)
    return kernel.reshape(columns, channels, rows, outputs).transpose(2, 0, 1, 3)


def _product(xs, ys):
    """Σ over all places of the outer product of what lies there: [B, H, W, ·] each, concatenated along channels."""
    return jnp.einsum("bhwx,bhwy->xy", jnp.concatenate(xs, -1), jnp.concatenate(ys, -1))


class Conv(nn.Module):
    """[B, H, W, C] -> [B, H', W', features]."""

    features: int
    kernel_size: Pair
    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    use_bias: bool = True
    kernel_init: Callable = LECUN

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", self.kernel_init, (*self.kernel_size, x.shape[-1], self.features), jnp.float32)
        y = conv(x, kernel, self.strides, self.padding)
        return y + self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32) if self.use_bias else y


class Depthwise(nn.Module):
    """A convolution of each channel by itself, no bias: [B, H, W, C] -> [B, H', W', C].

    It has the values and the kernel of `nn.Conv(C, ..., feature_group_count=C)`.
    """

    kernel_size: Pair = (3, 3)
    strides: Pair = (1, 1)
    padding: Padding = "SAME"
    dilation: Pair = (1, 1)

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        kernel = self.param("kernel", LECUN, (*self.kernel_size, 1, x.shape[-1]), jnp.float32)
        return depthwise(x, kernel, self.strides, self.padding, self.dilation)


def depthwise(
    x: jax.Array, kernel: jax.Array, strides: Pair = (1, 1), padding: Padding = "SAME", dilation: Pair = (1, 1)
) -> jax.Array:
    """Returns the convolution [B, H', W', C] of each channel of images with a kernel of its own.

    On CPUs as a sum of shifted copies, each times its weight: XLA's grouped convolutions and their gradients take some
    twenty times as long there.

    Args:
        x: [B, H, W, C] float.
        kernel: [h, w, 1, C] float.
        strides: along H and W.
        padding: of H and W.
        dilation: places from one weight of the kernel to the next, along H and W.
    """
    size, channels = kernel.shape[:2], x.shape[-1]

    def cpu(x, kernel):
        seen = shifted(x, size, strides, padding, dilation)
        y = sum(a * k for a, k in zip(seen, kernel.reshape(-1, channels), strict=True))
        return jax.lax.optimization_barrier(y)  # else XLA computes it anew in each that reads it

    def default(x, kernel):
        reach = [(s - 1) * d + 1 for s, d in zip(size, dilation, strict=True)]
        pads = pads_of(padding, x.shape[1:3], reach, strides)
        names = ("NHWC", "HWIO", "NHWC")
        return jax.lax.conv_general_dilated(
            x, kernel, strides, pads, rhs_dilation=dilation, dimension_numbers=names, feature_group_count=channels
        )

    return jax.lax.platform_dependent(x, kernel, cpu=cpu, default=default)


def shifted(
    x: jax.Array, size: Sequence[int], strides: Pair = (1, 1), padding: Padding = "SAME", dilation: Pair = (1, 1)
) -> list[jax.Array]:
    """Returns what each weight of a kernel sees of images, row by row: size[0]·size[1] arrays [B, H', W', C].

    Args:
        x: [B, H, W, C] float.
        size: rows and columns of the kernel.
        strides: along H and W.
        padding: of H and W.
        dilation: places from one weight of the kernel to the next, along H and W.
    """
    reach = [(s - 1) * d + 1 for s, d in zip(size, dilation, strict=True)]
    x = jnp.pad(x, ((0, 0), *pads_of(padding, x.shape[1:3], reach, strides), (0, 0)))
    spans = [(full - r) // s * s + 1 for full, r, s in zip(x.shape[1:3], reach, strides, strict=True)]
    starts = ((i * dilation[0], j * dilation[1]) for i in range(size[0]) for j in range(size[1]))
    return [x[:, i : i + spans[0] : strides[0], j : j + spans[1] : strides[1]] for i, j in starts]


def max_pool(x: jax.Array) -> jax.Array:
    """Returns the non-overlapping 2×2 maximum of [B, H, W, C], H and W even: [B, H/2, W/2, C].

    As reshape and max, because the gradient of a windowed maximum is slow on CPUs.
    """
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels).max((2, 4))
