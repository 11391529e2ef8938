"""Writes reference.json: what SciPy, scikit-image and Pillow make of a small picture.

    python reference.py
"""
import io, json
import numpy as np, scipy, skimage, PIL
from PIL import Image
from scipy import ndimage as nd
from skimage import color, filters

h, w = 9, 12
y, x, c = np.mgrid[0:h, 0:w, 0:3]
rgb = np.round(((y * 37 + x * 91 + c * 53 + (x * y * (c + 1)) % 17 * 11) % 256)).astype(np.uint8)
grey = rgb[:, :, 0]
f = rgb / 255.0
g = grey / 255.0


def disk(radius, alias):
    soft = 1 if radius <= 8 else 2
    reach = int(radius) + soft
    L = np.arange(-reach, reach + 1)
    X, Y = np.meshgrid(L, L)
    d = ((X**2 + Y**2) <= radius**2).astype(float)
    d /= d.sum()
    k = np.exp(-(np.arange(-soft, soft + 1) ** 2) / (2 * alias**2))
    k /= k.sum()
    return nd.correlate1d(nd.correlate1d(d, k, axis=0, mode="constant"), k, axis=1, mode="constant")


def motion(img, radius, sigma, angle):
    i = np.arange(2 * radius + 1)
    k = np.exp(-(i**2) / (2 * sigma**2))
    k /= k.sum()
    t = np.deg2rad(angle)
    Y, X = np.mgrid[0:h, 0:w]
    return sum(a * nd.map_coordinates(img, [Y + n * np.sin(t), X + n * np.cos(t)], order=1, mode="nearest") for n, a in enumerate(k))


def brightness(img, add):
    hsv = color.rgb2hsv(img)
    hsv[:, :, 2] = np.clip(hsv[:, :, 2] + add, 0, 1)
    return color.hsv2rgb(hsv)


def jpeg(img, q):
    b = io.BytesIO()
    Image.fromarray(img).save(b, "JPEG", quality=q)
    return np.asarray(Image.open(b)) / 255.0


smooth = np.clip(nd.gaussian_filter(rgb.astype(float), (2, 2, 0), mode="nearest"), 0, 255).round().astype(np.uint8)
out = {
    "made_with": f"numpy {np.__version__}, scipy {scipy.__version__}, scikit-image {skimage.__version__}, Pillow {PIL.__version__}",
    "height": h, "width": w, "rgb": rgb.tolist(), "smooth": smooth.tolist(),
    "rotate 20": nd.rotate(g, 20, reshape=False, order=1, mode="nearest"),
    "rotate -30": nd.rotate(g, -30, reshape=False, order=1, mode="nearest"),
    "shift 1.3 -2.6": nd.shift(g, (1.3, -2.6), order=1, mode="nearest"),
    "gaussian blur 0.7": filters.gaussian(g, sigma=0.7, mode="nearest"),
    "gaussian blur 2": filters.gaussian(g, sigma=2, mode="nearest"),
    "defocus 0.5 0.6": nd.correlate(g, disk(0.5, 0.6), mode="nearest"),
    "defocus 3 0.1": nd.correlate(g, disk(3, 0.1), mode="nearest"),
    "defocus 10 0.5": nd.correlate(g, disk(10, 0.5), mode="nearest"),
    "motion 6 2 33": motion(g, 6, 2, 33),
    "brightness 0.3": brightness(f, 0.3),
    "jpeg grey 40": jpeg(smooth[:, :, 0], 40),
    "jpeg rgb 40": jpeg(smooth, 40),
}
json.dump({k: np.round(v, 7).tolist() if isinstance(v, np.ndarray) else v for k, v in out.items()}, open("reference.json", "w"), separators=(",", ":"))
