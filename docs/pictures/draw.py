#!/usr/bin/env python3
"""Draws the pictures of docs/tutorial.md: `python3 docs/pictures/draw.py` writes them beside itself.

Only Python's standard library. Every picture has a paper of its own, and two sets of colours of which the reader's browser
chooses one (prefers-color-scheme), so it can be read on light and dark pages alike.
"""

import gzip
import math
from pathlib import Path

FOLDER = Path(__file__).parent
SAMPLE = FOLDER.parent.parent / "data" / "sample"

# name: (light, dark)
COLOURS = {
    "paper": ("#ffffff", "#161b22"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#59636e", "#9198a1"),
    "faint": ("#d1d9e0", "#3d444d"),
    "blue": ("#0550ae", "#79c0ff"),
    "red": ("#b3261e", "#ff9b8e"),
    "green": ("#116329", "#7ee787"),
}


def style():
    def rules(column):
        colours = ((name, pair[column]) for name, pair in COLOURS.items())
        return "".join(f".{name}{{fill:{colour}}}.{name}-line{{stroke:{colour};fill:none}}" for name, colour in colours)

    font = "text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:14px}"
    details = ".small{font-size:12px}.math{font-style:italic}.dashed{stroke-dasharray:5 4}"
    return f"<style>{font}{details}{rules(0)}@media (prefers-color-scheme:dark){{{rules(1)}}}</style>"


def write(name, width, height, title, *parts):
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
    paper = f'<rect class="paper" width="{width}" height="{height}" rx="8"/>'
    lines = [head, f"<title>{title}</title>", style(), paper, *parts, "</svg>", ""]
    (FOLDER / name).write_text("\n".join(lines), encoding="utf-8")


def text(x, y, content, classes="ink", anchor="middle"):
    return f'<text x="{x:g}" y="{y:g}" class="{classes}" text-anchor="{anchor}">{content}</text>'


def line(x1, y1, x2, y2, classes="soft-line", width=1.5):
    return f'<path class="{classes}" stroke-width="{width:g}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def arrow(x1, y1, x2, y2, colour="soft", width=1.5):
    """A line with a head at its end."""
    angle = math.atan2(y2 - y1, x2 - x1)
    left, right = ((x2 - 9 * math.cos(angle + turn), y2 - 9 * math.sin(angle + turn)) for turn in (0.4, -0.4))
    head = f"M{x2:.1f} {y2:.1f}L{left[0]:.1f} {left[1]:.1f}L{right[0]:.1f} {right[1]:.1f}Z"
    stop = (x2 - 7 * math.cos(angle), y2 - 7 * math.sin(angle))
    return line(x1, y1, *stop, f"{colour}-line", width) + f'<path class="{colour}" d="{head}"/>'


def box(x, y, width, height, colour="soft"):
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" class="{colour}-line" stroke-width="1.5"/>'


def circle(x, y, radius, classes):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{classes}"/>'


def curve(points, classes, width=2):
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f'<path class="{classes}" stroke-width="{width:g}" stroke-linejoin="round" d="M{path}"/>'


def unit():
    parts = []
    for number, y, label in ((1, 50, 58), (2, 110, 102), (3, 170, 174)):
        parts += [circle(60, y, 18, "faint"), text(60, y + 5, f"x<tspan class='small' dy='3'>{number}</tspan>", "ink math")]
        parts += [arrow(80, y, 226, 110 + (y - 110) * 0.35)]
        parts += [text(150, label, f"· w<tspan class='small' dy='3'>{number}</tspan>", "blue math")]
    parts += [box(230, 78, 90, 64), text(275, 106, "add them", "ink"), text(275, 126, "and b", "blue")]
    parts += [arrow(320, 110, 398, 110), text(359, 100, "z", "ink math")]
    parts += [box(400, 78, 100, 64), text(450, 106, "activation", "ink"), text(450, 126, "f(z)", "ink math")]
    parts += [arrow(500, 110, 578, 110), text(539, 100, "y", "ink math")]
    parts += [text(20, 208, "what comes in", "soft small", "start"), text(275, 208, "what is learned is blue", "blue small")]
    parts += [text(600, 208, "what goes out", "soft small", "end")]
    write("unit.svg", 620, 225, "One unit: inputs times weights, added up with a bias, through an activation", *parts)


def digit(label):
    """The pixels of the sample's first test image with this label: 28 rows of 28 bytes."""
    read = lambda name, header: gzip.decompress((SAMPLE / name).read_bytes())[header:]
    images, labels = read("t10k-images-idx3-ubyte.gz", 16), read("t10k-labels-idx1-ubyte.gz", 8)
    start = 784 * labels.index(label)
    return [images[start + 28 * row:start + 28 * (row + 1)] for row in range(28)]


def network():
    parts, size = [], 5
    for row, pixels in enumerate(digit(7)):
        for column, ink in enumerate(pixels):
            if ink > 20:
                place = f'x="{20 + size * column}" y="{50 + size * row}" width="{size}" height="{size}"'
                parts.append(f'<rect {place} class="ink" fill-opacity="{ink / 255:.2f}"/>')
    parts += [f'<rect x="20" y="50" width="{28 * size}" height="{28 * size}" class="faint-line"/>']
    parts += [text(90, 215, "28 × 28 pixels", "soft small"), text(90, 232, "X: 784 × samples", "blue small")]
    layers = [(215, 9), (360, 8), (505, 8), (650, 10)]
    places = [[(x, 120 + (place - (count - 1) / 2) * 19) for place in range(count)] for x, count in layers]
    for before, after in zip(places, places[1:]):
        parts += [line(*a, *b, "faint-line", 0.6) for a in before for b in after]
    parts += [arrow(165, 120, 200, 120)]
    for layer, name in zip(places, ("faint", "blue", "blue", "green")):
        parts += [circle(x, y, 6, name) for x, y in layer]
    labels = [(215, "784 numbers", ""), (360, "512 units, ReLU", "W: 512 × 784"), (505, "512 units, ReLU", "W: 512 × 512")]
    for x, name, shape in [*labels, (650, "10 units, softmax", "W: 10 × 512")]:
        parts += [text(x, 232, name, "soft small"), text(x, 249, shape, "blue small")]
    for number, (x, y) in enumerate(places[3]):
        share = 0.93 if number == 7 else 0.008
        parts += [text(x + 18, y + 4, number, "ink small")]
        parts += [f'<rect x="{x + 28}" y="{y - 5:.1f}" width="{60 * share:.1f}" height="10" class="green"/>']
    parts += [text(360, 24, "more than half a million connections; a few are drawn", "soft small")]
    write("network.svg", 760, 262, "The network of the tutorial: 784 pixels, two layers of 512 units, ten digits", *parts)


def activations():
    functions = [
        ("sigmoid", "1 / (1 + e⁻ᶻ)", lambda z: 1 / (1 + math.exp(-z)), lambda y, z: y * (1 - y)),
        ("tanh", "tanh z", math.tanh, lambda y, z: 1 - y * y),
        ("ReLU", "z, or 0 below 0", lambda z: max(z, 0), lambda y, z: float(z > 0)),
    ]
    parts = []
    for number, (name, formula, function, derivative) in enumerate(functions):
        left, middle, scale = 30 + 215 * number, 118, 26
        place = lambda z, y: (left + 85 + z * scale, middle - y * scale * 1.3)
        zs = [step / 20 for step in range(-60, 61)]
        parts += [line(left + 5, middle, left + 165, middle, "faint-line"), line(left + 85, 40, left + 85, 180, "faint-line")]
        slopes = [(z, derivative(function(z), z)) for z in zs]
        values = [(z, function(z)) for z in zs if function(z) <= 2.2]
        parts += [curve([place(*point) for point in slopes], "red-line dashed", 1.5)]
        parts += [curve([place(*point) for point in values], "blue-line", 2.5)]
        parts += [text(left + 85, 26, name, "ink"), text(left + 85, 200, formula, "soft small")]
        parts += [text(left + 78, middle - 1.3 * scale + 4, "1", "soft small", "end"), line(left + 82, middle - 1.3 * scale, left + 88, middle - 1.3 * scale)]
        parts += [text(left + 163, middle + 16, "z", "soft small math")]
    parts += [text(330, 226, "blue: the function; red: its slope, which backpropagation multiplies by", "soft small")]
    write("activations.svg", 660, 240, "Sigmoid, tanh and ReLU with their slopes", *parts)


def backward():
    parts = [box(175, 30, 130, 60, "blue"), text(240, 57, "W · X + b", "ink"), text(240, 77, "units × samples", "soft small")]
    parts += [box(400, 30, 130, 60, "blue"), text(465, 57, "f, one by one", "ink"), text(465, 77, "units × samples", "soft small")]
    parts += [arrow(70, 60, 173, 60, "blue"), text(122, 50, "X", "blue math"), arrow(305, 60, 398, 60, "blue"), text(352, 50, "Z", "blue math")]
    parts += [arrow(530, 60, 640, 60, "blue"), text(585, 50, "Y", "blue math")]
    parts += [text(60, 57, "layer", "soft small", "end"), text(60, 73, "before", "soft small", "end")]
    parts += [text(650, 57, "layer behind,", "soft small", "start"), text(650, 73, "at last L", "soft small", "start")]
    parts += [box(175, 160, 130, 60, "red"), text(240, 195, "Wᵀ · Δ", "ink")]
    parts += [box(400, 160, 130, 60, "red"), text(465, 195, "times f′(Z)", "ink")]
    parts += [arrow(640, 190, 532, 190, "red"), text(585, 180, "∇Y", "red"), arrow(400, 190, 307, 190, "red"), text(352, 180, "Δ = ∇Z", "red")]
    parts += [arrow(175, 190, 72, 190, "red"), text(122, 180, "∇X", "red")]
    parts += [arrow(352, 190, 352, 250, "red"), text(352, 268, "∇W = Δ · Xᵀ,  ∇b = Δ's columns added up", "red")]
    parts += [line(465, 90, 465, 158, "faint-line dashed"), text(474, 128, "kept: Y", "soft small", "start")]
    parts += [line(240, 90, 240, 158, "faint-line dashed"), text(249, 128, "kept: X, W", "soft small", "start")]
    parts += [text(20, 20, "forward", "blue small", "start"), text(20, 158, "backward", "red small", "start")]
    write("backward.svg", 760, 285, "A dense layer: what passes forward, and the gradients that pass back", *parts)


def paths():
    """Three rules on the bowl f(x, y) = (x² + 20·y²)/2, from (-9, 2.6), 40 steps each."""
    gradient = lambda x, y: (x, 20 * y)

    def descent(point, state, step):
        return [w - 0.09 * g for w, g in zip(point, gradient(*point))], state

    def momentum(point, state, step):
        velocity = [0.8 * v - 0.02 * g for v, g in zip(state or [0, 0], gradient(*point))]
        return [w + v for w, v in zip(point, velocity)], velocity

    def adam(point, state, step, rate=0.5, beta_1=0.9, beta_2=0.999):
        m, v = state or ([0, 0], [0, 0])
        g = gradient(*point)
        m = [beta_1 * a + (1 - beta_1) * b for a, b in zip(m, g)]
        v = [beta_2 * a + (1 - beta_2) * b * b for a, b in zip(v, g)]
        size = rate * math.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        return [w - size * a / (math.sqrt(b) + 1e-7) for w, a, b in zip(point, m, v)], (m, v)

    found = []
    for rule in (descent, momentum, adam):
        point, state, points = [-9.0, 2.6], None, [(-9.0, 2.6)]
        for step in range(1, 41):
            point, state = rule(point, state, step)
            points.append(tuple(point))
        found.append(points)
    return found


def descent():
    parts, scale = [], 16
    titles = ["gradient descent", "with momentum", "Adam"]
    for number, (title, points) in enumerate(zip(titles, paths())):
        left, middle = 14 + 248 * number, (165, 70)
        # A panel cuts off what is drawn beyond it.
        parts += [f'<svg x="{left}" y="12" width="236" height="140">']
        for level in range(1, 22, 2):
            radii = f'rx="{level * scale}" ry="{level * scale / math.sqrt(20):.1f}"'
            parts += [f'<ellipse cx="{middle[0]}" cy="{middle[1]}" {radii} class="faint-line"/>']
        scaled = [(middle[0] + scale * x, middle[1] - scale * y) for x, y in points]
        parts += [curve(scaled, "blue-line", 1.5)] + [circle(x, y, 2.2, "blue") for x, y in scaled]
        parts += [circle(*middle, 4, "red"), "</svg>", text(left + 118, 178, title, "ink")]
    write("descent.svg", 760, 195, "Three optimizers go down the same long valley, 40 steps each", *parts)


def overfitting():
    """Loss by epoch, from overfitting.csv: columns of the two runs' history.csv, which section 6 makes."""
    lines = (FOLDER / "overfitting.csv").read_text(encoding="utf-8").split()[1:]
    rows = [[float(value) for value in line.split(",")] for line in lines]
    parts, highest = [], 0.6
    for number, title in enumerate(("without dropout", "with dropout 0.5")):
        left, right, top, bottom = 60 + 350 * number, 340 + 350 * number, 40, 190
        place = lambda epoch, loss: (left + (right - left) * epoch / len(rows), bottom - (bottom - top) * min(loss, highest) / highest)
        parts += [line(left, top, left, bottom), line(left, bottom, right, bottom), text((left + right) / 2, 26, title)]
        for loss in (0.2, 0.4, 0.6):
            y = place(0, loss)[1]
            parts += [line(left, y, right, y, "faint-line", 1), text(left - 8, y + 4, loss, "soft small", "end")]
        for epoch in range(0, len(rows) + 1, 10):
            parts += [text(place(epoch, 0)[0], bottom + 18, epoch, "soft small")]
        for column, colour in ((1, "blue"), (2, "red")):
            points = [place(row[0], row[2 * number + column]) for row in rows]
            parts += [curve(points, f"{colour}-line")]
    parts += [text(60, 232, "blue: loss of training samples", "blue small", "start")]
    parts += [text(250, 232, "red: loss of validation samples", "red small", "start"), text(690, 232, "epochs", "soft small", "end")]
    write("overfitting.svg", 720, 248, "Training and validation loss by epoch, without and with dropout", *parts)


if __name__ == "__main__":
    for picture in (unit, network, activations, backward, descent, overfitting):
        picture()
