"""Compares the reading of pixels with astropy and cfitsio (python `fitsio`), contenders taking turns within one run.

    cargo build --release -p pantler-formats --example read_pixels
    python bench/pixels.py target/release/examples/read_pixels [repetitions]

The files are made first: an exposure of 4096x4096 pixels (image and variance of 32-bit floats, mask of 32-bit integers)
in plain pixels, in GZIP_2 without loss, and in RICE with quantised floats. All are in the page cache when they are read.
Each contender ends with arrays in the byte order of the machine. Of each round the ratio to the faster of the two others
is taken; medians are printed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import fitsio
import numpy as np
from astropy.io import fits

SIZE = 4096
BOX = (1900, 2100, 256, 256)
HDUS = {"image": 1, "mask": 2, "variance": 3}


def make(folder):
    """Writes the exposure in three ways and returns the paths."""
    random = np.random.default_rng(20261122)
    shape = (SIZE, SIZE)
    sky = 400.0
    image = random.normal(sky, np.sqrt(sky), shape).astype("f4")
    for _ in range(4000):
        x, y = random.integers(16, SIZE - 16, 2)
        grid = np.arange(-12, 13)
        star = np.exp(-(grid[:, None] ** 2 + grid[None, :] ** 2) / 8.0)
        image[y - 12 : y + 13, x - 12 : x + 13] += random.exponential(3000) * star
    mask = np.zeros(shape, "i4")
    mask[image > sky + 5 * np.sqrt(sky)] |= 32
    mask[:, random.integers(0, SIZE, 20)] |= 1
    variance = (image.clip(1) / 1.5 + 25).astype("f4")
    planes = {"image": image, "mask": mask, "variance": variance}
    recipes = {
        "plain": lambda data, name: fits.ImageHDU(data, name=name),
        "gzip_2": lambda data, name: fits.CompImageHDU(
            data, name=name, compression_type="GZIP_2", quantize_level=0.0
        ),
        "rice": lambda data, name: fits.CompImageHDU(
            data, name=name, compression_type="RICE_1", quantize_level=16.0, quantize_method=1, dither_seed=77
        ),
    }
    paths = {}
    for recipe, hdu in recipes.items():
        paths[recipe] = os.path.join(folder, recipe + ".fits")
        hdus = [fits.PrimaryHDU()] + [hdu(data, name.upper()) for name, data in planes.items()]
        fits.HDUList(hdus).writeto(paths[recipe])
    return paths


class Pantler:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, path, part, box):
        words = [path, part] + [str(number) for number in box or ()]
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        seconds, _, total = self.process.stdout.readline().split()
        return float(seconds), float(total)


def indices(part):
    return list(HDUS.values()) if part == "exposure" else [HDUS[part]]


def native(array):
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


def read_astropy(path, part, box):
    start = time.perf_counter()
    with fits.open(path) as file:
        planes = []
        for index in indices(part):
            if box:
                x, y, width, height = box
                planes.append(native(file[index].section[y : y + height, x : x + width]))
            else:
                planes.append(native(file[index].data))
    return time.perf_counter() - start, float(planes[0].sum(dtype="f8"))


def read_fitsio(path, part, box):
    start = time.perf_counter()
    with fitsio.FITS(path) as file:
        planes = []
        for index in indices(part):
            if box:
                x, y, width, height = box
                planes.append(native(file[index][y : y + height, x : x + width]))
            else:
                planes.append(native(file[index].read()))
    return time.perf_counter() - start, float(planes[0].sum(dtype="f8"))


CASES = [
    ("plain exposure", "plain", "exposure", None),
    ("GZIP_2 lossless exposure", "gzip_2", "exposure", None),
    ("RICE quantised exposure", "rice", "exposure", None),
    ("GZIP_2 cutout 256x256 of the exposure", "gzip_2", "exposure", BOX),
    ("RICE cutout 256x256 of the exposure", "rice", "exposure", BOX),
    ("plain cutout 256x256 of the exposure", "plain", "exposure", BOX),
    ("mask alone of the RICE exposure", "rice", "mask", None),
    ("mask alone of the plain exposure", "plain", "mask", None),
]


def main():
    program = sys.argv[1]
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    with tempfile.TemporaryDirectory() as folder:
        paths = make(folder)
        contenders = {"pantler": Pantler(program).read, "astropy": read_astropy, "fitsio": read_fitsio}
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, {repetitions} repetitions")
        for name, recipe, part, box in CASES:
            seconds = {contender: [] for contender in contenders}
            for repetition in range(repetitions + 1):
                totals = {}
                for contender, read in contenders.items():
                    taken, totals[contender] = read(paths[recipe], part, box)
                    # The first round fills caches.
                    if repetition:
                        seconds[contender].append(taken)
                if not np.allclose(list(totals.values()), totals["astropy"], rtol=1e-9):
                    sys.exit(f"{name}: not all read the same: {totals}")
            ratios = [
                min(a, f) / p for p, a, f in zip(seconds["pantler"], seconds["astropy"], seconds["fitsio"])
            ]
            row = {contender: round(1000 * statistics.median(all), 2) for contender, all in seconds.items()}
            print(json.dumps({"case": name, "milliseconds": row, "ratio": round(statistics.median(ratios), 2)}), flush=True)
        print(f"load {os.getloadavg()[0]:.1f} after")


if __name__ == "__main__":
    main()
