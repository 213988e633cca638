"""The drawings of the report as inline SVG: all scores, scores near the line, mean points.

Matplotlib measures text with its own font, the same everywhere, and leaves text as text: equal
tables give equal bytes on every machine, and the reader's fonts show the Chinese.  Titles and
legends stand in the page around a drawing; a drawing holds numbers and short labels.
"""

import io
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SETTLED, BELOW, LINE, INK, MUTED, GRID = (
    *("#1b6ca8", "#8797a8", "#c8102e"),
    *("#1d232b", "#55606e", "#e3e8ee"),
)
WIDTH = 936  # the page's column in CSS pixels: text is drawn at its own size
MAX_BARS = 160
AROUND = 150  # centipoints on either side of the line
# of matplotlib's file: identifiers repeat from one drawing to the next, fonts are the reader's
NOT_FOR_A_PAGE = re.compile(
    r' xmlns(:xlink)?="[^"]*"| id="[A-Za-z0-9.]+_\d+"| transform="rotate\(-?0 [^)]*\)"'
    r'| version="1.1"| font-family: [^;"]*;|<style.*?</style>|<!--.*?-->',
    re.DOTALL,
)


@dataclass(frozen=True)
class Pair:
    """An indicator and its mean points above and below the line; none: nobody is there."""

    title_zh: str
    title: str
    above: float | None
    below: float | None


@dataclass(frozen=True)
class Frame:
    """Height of a drawing and the room around its axes, in pixels."""

    height: int
    left: int = 56
    top: int = 30
    bottom: int = 44

    @property
    def axes(self) -> tuple[float, float, float, float]:
        """Left, bottom, width and height of the axes as shares of the drawing."""
        across, up = WIDTH - self.left - 12, self.height - self.top - self.bottom
        return self.left / WIDTH, self.bottom / self.height, across / WIDTH, up / self.height


def drawing(name: str, title: str, frame: Frame, draw: Callable[["Axes"], None]) -> str:
    """An SVG element with one pair of axes; `name` tells its identifiers from another drawing's."""
    import matplotlib as mpl  # a quarter of a second: only a run that writes a report pays it
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    settings: Any = {
        "font.family": "DejaVu Sans",
        "svg.fonttype": "none",
        "svg.hashsalt": name,
        "text.parse_math": False,
    }
    text = io.StringIO()
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        mpl.rcdefaults()  # a user's own style must not change the page
        mpl.rcParams.update(settings)
        figure = Figure(figsize=(WIDTH / 72, frame.height / 72), dpi=72)
        canvas: Any = FigureCanvasSVG(figure)
        axes = figure.add_axes(frame.axes)
        figure.patch.set_visible(False)
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.spines["bottom"].set_color(MUTED)
        axes.tick_params(colors=MUTED, labelsize=12, length=0, pad=6)
        axes.set_axisbelow(True)
        draw(axes)
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        canvas.print_svg(text, metadata=nothing)
    return for_page(text.getvalue(), name, title)


def for_page(svg: str, name: str, title: str) -> str:
    """The `svg` element alone, with a title for those who hear the page."""
    bare = NOT_FOR_A_PAGE.sub("", svg[svg.index("<svg") :]).replace("xlink:href", "href")
    head = f'<svg role="img" aria-labelledby="{name}"'
    told = f'<title id="{name}">{escape(title)}</title>'
    return bare.replace("<svg", head, 1).replace(">", f">{told}", 1).replace("\n\n", "\n")


def distribution(centipoints: pl.Series, line: int | None, title: str) -> str:
    """How many people have how many points; no bar has people from both sides of the line."""
    width, start = bars(centipoints, line)
    counts = counted((centipoints - start) // width)
    edges = [(start + width * bar) / 100 for bar in counts["value"]]
    lowest, highest = min(edges), max(edges) + width / 100

    def draw(axes: "Axes") -> None:
        pad = max((highest - lowest) / 50, 5 * width / 100)
        axes.set_xlim(lowest - pad, highest + pad)
        side = [side_of(round(edge * 100), line) for edge in edges]
        middles = [edge + width / 200 for edge in edges]
        columns(axes, middles, counts["count"].to_list(), side, width / 100)
        if line is not None:
            mark(axes, line / 100, 0, f"落户分值 The line: {line / 100:.2f}")

    return drawing("distribution", title, Frame(330), draw)


def bars(centipoints: pl.Series, line: int | None) -> tuple[int, int]:
    """Width and an edge of the bars: a point each, wider where that would be too many bars."""
    lowest, highest = int(centipoints.min()), int(centipoints.max())  # type: ignore[arg-type]
    width = 100
    while (highest - lowest) // width > MAX_BARS:
        width *= 2
    return width, 0 if line is None else line


def around_line(centipoints: pl.Series, line: int, title: str) -> str:
    """Every single total near the line; the block of equal totals at the line stands out."""
    near = centipoints.filter(centipoints.is_between(line - AROUND, line + AROUND))
    counts = counted(near)
    tied = int((centipoints == line).sum())

    def draw(axes: "Axes") -> None:
        from matplotlib.ticker import MultipleLocator

        axes.set_xlim((line - AROUND - 4) / 100, (line + AROUND + 4) / 100)
        axes.xaxis.set_major_locator(MultipleLocator(0.25))
        axes.xaxis.set_major_formatter("{x:.2f}")
        totals = counts["value"].to_list()
        side = [LINE if total == line else side_of(total, line) for total in totals]
        columns(axes, [total / 100 for total in totals], counts["count"].to_list(), side, 0.01)
        mark(axes, line / 100, tied, f"{line / 100:.2f}：同分 {tied:,} 人 tied")

    return drawing("around_line", title, Frame(300), draw)


def counted(values: pl.Series) -> pl.DataFrame:
    """Each value and how often it comes, ascending."""
    return values.alias("value").to_frame().group_by("value").agg(count=pl.len()).sort("value")


def side_of(centipoints: int, line: int | None) -> str:
    """The colour of a total."""
    return BELOW if line is None or centipoints < line else SETTLED


def columns(
    axes: "Axes", places: Sequence[float], counts: Sequence[int], colours: list[str], step: float
) -> None:
    """Bars at places a step apart, with room for a label above them."""
    from matplotlib.ticker import MaxNLocator

    low, high = axes.get_xlim()
    pixels = step / (high - low) * axes.bbox.width
    axes.set_ylim(0, max(counts) * 1.22)
    axes.vlines(places, 0, counts, colors=colours, linewidth=pixels * 0.88)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color=GRID)
    words(axes, "人数 People", (0, 1), (-56, 12))
    words(axes, "总积分 Total points", (1, 0), (0, -40), align="right")


def mark(axes: "Axes", line: float, above: float, label: str) -> None:
    """The line, from the top of what it stands on, and its label on the roomier side."""
    low, high = axes.get_xlim()
    top = axes.get_ylim()[1]
    axes.vlines([line], above, top, colors=LINE, linewidth=1.5, linestyles="dashed")
    on_left = line > (low + high) / 2
    words(
        axes,
        label,
        ((line - low) / (high - low), 1),
        (-8 if on_left else 8, -13),
        align="right" if on_left else "left",
        colour=LINE,
        size=14,
        weight="bold",
    )


def words(
    axes: "Axes",
    text: str,
    corner: tuple[float, float],
    offset: tuple[float, float],
    *,
    align: str = "left",
    colour: str = MUTED,
    size: float = 12,
    weight: str = "normal",
) -> None:
    """Text at an offset in pixels from a point given in shares of the axes."""
    axes.annotate(
        text,
        corner,
        offset,
        xycoords="axes fraction",
        textcoords="offset points",
        ha=align,
        va="baseline",
        color=colour,
        fontsize=size,
        fontweight=weight,
    )


def mean_points(pairs: Sequence[Pair], title: str) -> str:
    """Paired bars, an indicator a row: above the line over below it."""

    def draw(axes: "Axes") -> None:
        rows = range(len(pairs))
        above = [pair.above or 0 for pair in pairs]
        below = [pair.below or 0 for pair in pairs]
        axes.hlines([row - 0.18 for row in rows], 0, above, colors=SETTLED, linewidth=11)
        axes.hlines([row + 0.18 for row in rows], 0, below, colors=BELOW, linewidth=11)
        low, high = min(0.0, *above, *below), max(1.0, *above, *below)
        axes.set_xlim(low - (0.02 if low else 0) * (high - low), high + 0.03 * (high - low))
        axes.set_ylim(len(pairs) - 0.4, -0.6)
        axes.set_yticks([])
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.grid(axis="x", color=GRID)
        for row, pair in enumerate(pairs):
            place = (0, 1 - (row + 0.6) / (len(pairs) + 0.2))
            words(axes, pair.title_zh, place, (-12, 1), align="right", colour=INK)
            words(axes, pair.title, place, (-12, -12), align="right", size=10.5)
        words(axes, "平均积分 Mean points", (1, 0), (0, -40), align="right")

    frame = Frame(50 + 36 * len(pairs), left=268, top=6)
    return drawing("mean_points", title, frame, draw)
