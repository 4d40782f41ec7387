"""Log-mel features and cepstra (MFCC) of sound, on the device and for whole batches."""

import jax
import jax.numpy as jnp
import numpy as np

FLOOR = 1e-6  # added to energies before the logarithm: full scale is 1, so 60 dB below it


def frames(signal, length: int, hop: int):
    """[B, S] -> [B, F, length] with F = 1 + (S - length) // hop: frame f starts at sample f·hop; no padding."""
    count = 1 + (signal.shape[-1] - length) // hop
    return signal[..., np.arange(count)[:, None] * hop + np.arange(length)]


def mel(hertz):
    """O'Shaughnessy 1987: 2595 · log10(1 + f / 700)."""
    return 2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0)


def hertz(mels):
    """Inverse of `mel`."""
    return 700.0 * (10.0 ** (np.asarray(mels) / 2595.0) - 1.0)


def mel_filterbank(bands: int, size: int, rate: float, low: float, high: float) -> np.ndarray:
    """[size // 2 + 1, bands] float32: triangles of height 1, equally wide in mel, from `low` to `high` hertz.

    `size`: length of the Fourier transform in samples; `rate`: samples per second.
    """
    edges = hertz(np.linspace(mel(low), mel(high), bands + 2))
    bins = np.arange(size // 2 + 1)[:, None] * rate / size
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - left) / (centre - left), (right - bins) / (right - centre)
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


def log_mel(signal, *, length: int, hop: int, bands: int, rate: float, low: float, high: float):
    """log(mel energies + 1e-6): [B, S] float in [-1, 1] -> [B, F, bands] float32.

    Energies are squared magnitudes of the Hann-windowed frames' Fourier transform, divided by the window's energy.
    """
    window = np.hanning(length + 1)[:-1].astype(np.float32)
    spectrum = jnp.fft.rfft(frames(signal, length, hop) * window)
    power = (jnp.square(spectrum.real) + jnp.square(spectrum.imag)) / np.sum(window**2)
    return jnp.log(_exact(power, mel_filterbank(bands, length, rate, low, high)) + FLOOR)


def standardized(x, real):
    """Features [B, F, M] of each utterance with mean 0 and variance 1 over the frames that `real [B, F]` marks; 0 in
    the others."""
    real = real[..., None]
    count = jnp.sum(real, (1, 2), keepdims=True) * x.shape[-1]
    x = jnp.where(real, x - jnp.sum(x * real, (1, 2), keepdims=True) / count, 0.0)
    return x / jnp.sqrt(jnp.sum(jnp.square(x), (1, 2), keepdims=True) / count + FLOOR)


def by_parts(features, *arrays, size: int = 200):
    """`features(*rows)` over [N, ...] arrays, `size` rows at a time, so that the spectra of all need not be held."""
    return jax.lax.map(lambda rows: features(*rows), arrays, batch_size=size)


def utterances(audio, samples, *, hop: int, **options):
    """Standardized `log_mel` of audio [N, S] int16 whose first `samples [N]` count: [N, F, bands], 0 behind them."""

    def features(audio, samples):
        x = log_mel(audio[None] / 32768.0, hop=hop, **options)
        return standardized(x, jnp.arange(x.shape[1])[None] * hop < samples)[0]

    return by_parts(features, audio, samples)


def mfcc(signal, *, coefficients: int, bands: int, **options):
    """The first mel-frequency cepstral coefficients: [B, S] float in [-1, 1] -> [B, F, coefficients] float32.

    The orthonormal DCT-II of `log_mel` over its bands (Davis & Mermelstein 1980); options: as of `log_mel`.
    """
    return _exact(log_mel(signal, bands=bands, **options), dct(bands, coefficients))


def dct(size: int, count: int) -> np.ndarray:
    """[size, count] float32: the first `count` columns of the orthonormal DCT-II of `size` values."""
    basis = np.cos(np.pi * (np.arange(size)[:, None] + 0.5) * np.arange(count) / size)
    basis[:, 0] /= np.sqrt(2)
    return (basis * np.sqrt(2 / size)).astype(np.float32)


def _exact(a, b):
    # Accelerators would round float32 factors to fewer bits.
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)
