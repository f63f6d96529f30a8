"""Pictures: what a viewer shows, what a fixture holds, and how alike they are."""

import io

import numpy
from PIL import Image, ImageDraw, ImageGrab


def load(path):
    """The picture in a file, as rows × columns × RGB."""
    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB"))


def save(picture, path):
    Image.fromarray(picture).save(path)


def grab(display, box=None):
    """What an X display shows in `box` = (x, y, width, height); all of it without one."""
    corners = box and (box[0], box[1], box[0] + box[2], box[1] + box[3])
    image = ImageGrab.grab(xdisplay=display, bbox=corners)
    return numpy.asarray(image.convert("RGB"))


def test_card(width, height):
    """A lossless picture that a wrong stride, byte order or tile border would show in: gradients, fine
    lines and noise from a fixed seed."""
    y, x = numpy.mgrid[0:height, 0:width]
    card = numpy.stack([x * 255 // (width - 1), y * 255 // (height - 1), (x + y) % 256], axis=-1)
    card = card.astype(numpy.uint8)
    card[height // 3 : height // 3 + 40, ::2] = (255, 255, 255)
    card[height // 3 : height // 3 + 40, 1::2] = (0, 0, 0)
    noise = numpy.random.default_rng(1).integers(0, 256, (100, 150, 3), dtype=numpy.uint8)
    card[-120:-20, -170:-20] = noise
    return card


def screen(width, height, seed):
    """A screen like a target's: text and areas of every colour on a ground, another for each seed, with
    corners by which a shift, a turn or a swap of colours would show."""
    image = Image.new("RGB", (width, height), (30, 60, 120))
    draw = ImageDraw.Draw(image)
    random = numpy.random.default_rng(seed)
    for number in range(1, 9):
        x, y = int(random.integers(20, width - 140)), int(random.integers(40, height - 120))
        draw.rectangle([x, y, x + 110, y + 70], fill=tuple(255 * (number >> bit & 1) for bit in range(3)))
    for line in range(12):
        draw.text((20 + line * 7, 60 + line * 24), f"screen {seed}, line {line}: what a target shows", "white")
    corners = [(0, 0, "red"), (width - 16, 0, "lime"), (0, height - 16, "blue"), (width - 16, height - 16, "yellow")]
    for x, y, colour in corners:
        draw.rectangle([x, y, x + 15, y + 15], fill=colour)
    return numpy.asarray(image)


def jpeg(picture):
    """The picture as a JPEG that loses little."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def moved(picture, step):
    """The picture with a bar across it, elsewhere at each step, and a number beside it."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    y = 30 + 60 * step
    draw.rectangle([60, y, image.width - 60, y + 40], fill=(250, 120, 40))
    draw.text((20, y + 12), f"step {step}", "white")
    return numpy.asarray(image)


def reduced(picture, levels, darker=False):
    """The picture in so many levels of red, green and blue, spread from black to full or, if `darker`, each at the
    lower end of what it stands for."""
    levels = numpy.array(levels)
    if (levels == 256).all():
        return picture
    codes = (picture.astype(numpy.uint32) * (levels - 1) + 127) // 255
    values = codes * (256 // levels) if darker else (codes * 255 + (levels - 1) // 2) // (levels - 1)
    return values.astype(numpy.uint8)


def scaled(picture, width, height):
    return numpy.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR))


def place_of(wanted, within):
    """((x, y), decibels) of the place where `within` is most like `wanted`."""
    (rows, columns), (height, width) = within.shape[:2], wanted.shape[:2]
    if height > rows or width > columns:
        return (0, 0), -1.0
    pattern = wanted.mean(axis=2)
    pattern -= pattern.mean()
    transforms = numpy.fft.rfft2(within.mean(axis=2)), numpy.fft.rfft2(pattern, s=(rows, columns))
    likeness = numpy.fft.irfft2(transforms[0] * transforms[1].conj(), s=(rows, columns))
    likeness = likeness[: rows - height + 1, : columns - width + 1]
    y, x = map(int, numpy.unravel_index(numpy.argmax(likeness), likeness.shape))
    return (x, y), psnr(within[y : y + height, x : x + width], wanted)


def psnr(a, b):
    """Likeness in decibels; infinite for equal pictures, below zero for different sizes."""
    if a.shape != b.shape:
        return -1.0
    error = numpy.mean((a.astype(numpy.int32) - b.astype(numpy.int32)) ** 2, dtype=numpy.float64)
    return float("inf") if error == 0 else 10 * float(numpy.log10(255**2 / error))


def is_plain(picture):
    """Whether it is (nearly) one colour, which no screen of these tests is."""
    return float(numpy.std(picture)) < 2.0


CELL = 16


def changed_cells(a, b, threshold=24):
    """Which 16×16 cells differ by more than what JPEG loses, as a boolean grid."""
    difference = numpy.abs(a.astype(numpy.int16) - b.astype(numpy.int16)).max(axis=-1) > threshold
    rows, columns = -(-difference.shape[0] // CELL), -(-difference.shape[1] // CELL)
    padded = numpy.zeros((rows * CELL, columns * CELL), dtype=bool)
    padded[: difference.shape[0], : difference.shape[1]] = difference
    return padded.reshape(rows, CELL, columns, CELL).any(axis=(1, 3))


def only_cells(picture, cells):
    """The picture with everything outside `cells` black."""
    mask = cells.repeat(CELL, axis=0).repeat(CELL, axis=1)
    mask = mask[: picture.shape[0], : picture.shape[1]]
    return picture * mask[..., None]


def cell_pixels(picture, cells):
    """The pixels inside `cells` alone, as a list of RGB, for comparing."""
    mask = cells.repeat(CELL, axis=0).repeat(CELL, axis=1)
    mask = mask[: picture.shape[0], : picture.shape[1]]
    return picture[mask]


def split_mjpeg(data):
    """The JPEGs of a concatenation, by walking their markers."""
    frames, at = [], 0
    while True:
        start = data.find(b"\xff\xd8", at)
        if start < 0:
            return frames
        at = start + 2
        while data[at] == 0xFF and data[at + 1] != 0xD9:
            marker = data[at + 1]
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            if marker == 0xDA:
                at = end_of_scan(data, at)
        if data[at : at + 2] != b"\xff\xd9":
            raise ValueError(f"no JPEG marker at offset {at}")
        at += 2
        frames.append(data[start:at])


def end_of_scan(data, at):
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2


def decoded(jpeg):
    with Image.open(io.BytesIO(jpeg)) as image:
        return numpy.asarray(image.convert("RGB"))


class Recording:
    """The pictures of a `.mjpeg` file, searchable by likeness."""

    SMALL = (120, 68)

    def __init__(self, path):
        self.jpegs = list(dict.fromkeys(split_mjpeg(path.read_bytes())))
        if not self.jpegs:
            raise ValueError(f"{path}: holds no JPEG")
        self.small = numpy.stack([self._shrink(self.picture(i)) for i in range(len(self.jpegs))])

    def picture(self, index):
        return decoded(self.jpegs[index])

    def size(self):
        """(width, height) of the first picture."""
        with Image.open(io.BytesIO(self.jpegs[0])) as image:
            return image.size

    def best_match(self, shown):
        """(index, decibels) of the picture most like `shown`."""
        distance = ((self.small - self._shrink(shown)) ** 2).mean(axis=(1, 2, 3))
        candidates = numpy.argsort(distance)[:4]
        return max(((int(i), psnr(self.picture(int(i)), shown)) for i in candidates), key=lambda m: m[1])

    def _shrink(self, picture):
        small = Image.fromarray(picture).resize(self.SMALL, Image.Resampling.BOX)
        return numpy.asarray(small, dtype=numpy.float32)
