"""Numbers for people. What is not known is a dash; money is never rounded through a float."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

__all__ = (
    "MINUS",
    "UNKNOWN",
    "compact",
    "count",
    "counted",
    "duration",
    "duration_axis",
    "duration_rough",
    "instant",
    "money",
    "money_axis",
    "money_change",
    "money_parts",
    "money_rough",
    "percent",
    "price",
    "rate",
    "rating",
    "rating_change",
    "size",
)

UNKNOWN = "–"  # noqa: RUF001 - a dash, as printed
MINUS = "\N{MINUS SIGN}"
_NANO = Decimal(10) ** 9


def money(nano: int | None) -> str:
    """Dollars: cents from one dollar up, four places below, two digits where those would say nothing."""
    if nano is None:
        return UNKNOWN
    dollars = Decimal(nano) / _NANO
    places = 2
    if 0 < dollars < 1:
        places = 4
        if dollars < Decimal("0.001"):
            places = 1 - dollars.adjusted()
    rounded = dollars.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    if places > 4:
        rounded = rounded.normalize()
    elif rounded >= 1:
        rounded = rounded.quantize(Decimal("0.01"))
    return f"${rounded:,f}"


def money_parts(nano: int) -> tuple[str, str]:
    """The same, parted before the point, so that the cents can be set in grey."""
    whole, point, cents = money(nano).partition(".")
    return whole, point + cents


def money_rough(nano: int) -> str:
    """Without the cents where they are noise: for extrapolations."""
    return f"${(Decimal(nano) / _NANO).quantize(Decimal(1)):,f}" if nano >= 100 * 10**9 else money(nano)


def money_change(nano: int) -> str:
    """With its sign: what was added, or saved."""
    if nano == 0:
        return "$0.00"
    return f"{'+' if nano > 0 else MINUS}{money(abs(nano))}"


def price(dollars: Decimal) -> str:
    """A price of a list: two places, and as many more as it has."""
    plain = dollars.normalize()
    places = max(2, -int(plain.as_tuple().exponent))
    return f"${plain:,.{min(places, 9)}f}"


def money_axis(nano: int) -> str:
    """As short as it is exact, and with cents if with anything behind the point."""
    dollars = (Decimal(nano) / _NANO).normalize()
    return f"${dollars:,f}" if dollars == dollars.to_integral_value() else price(dollars)


def count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def counted(number: int, word: str) -> str:
    """Such as ``1 call`` and ``2,048 calls``."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def compact(number: int | None) -> str:
    """Four digits at most: 864, 11.5k, 137.7M."""
    if number is None:
        return UNKNOWN
    if number < 1000:
        return str(number)
    scaled = Decimal(number)
    for unit in "kMBT":
        scaled /= 1000
        short = scaled.quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)
        if short < 1000 or unit == "T":
            return f"{short:f}".removesuffix(".0") + unit
    raise AssertionError  # pragma: no cover - the last unit takes all


def duration(ms: int | None) -> str:
    if ms is None:
        return UNKNOWN
    if ms < 1000:
        return f"{ms} ms"
    if ms < 100_000:
        return f"{ms / 1000:.2f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 600:
        return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def duration_rough(ms: int) -> str:
    """In one unit, or two where that says much more: for axes and silences."""
    if ms < 1000:
        return f"{ms} ms"
    seconds = ms / 1000
    if seconds < 100:
        return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes / 60:.1f}".removesuffix(".0") + " h"


def duration_axis(ms: int) -> str:
    """For the round values of an axis."""
    return f"{ms} ms" if ms < 1000 else f"{ms // 1000:,} s"


def rating(value: float | None) -> str:
    """A score, or a mean of scores: two digits behind the point where they matter."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return text.replace("-", MINUS) if float(text.replace(",", "")) else text.removeprefix("-")


def rating_change(old: float, new: float) -> str:
    """By how much a score, or a mean of scores, is higher or lower."""
    shown = rating(abs(new - old))
    return f"{'+' if new > old else MINUS}{shown}" if float(shown.replace(",", "")) else "0"


def size(octets: int) -> str:
    """Bytes, in the unit that leaves few digits."""
    if octets < 1000:
        return f"{octets} bytes"
    number = Decimal(octets)
    for unit in ("kB", "MB", "GB", "TB"):
        number /= 1000
        if number < 1000 or unit == "TB":
            return f"{number:,.0f} {unit}" if number >= 100 else f"{number:,.1f} {unit}"
    raise AssertionError  # pragma: no cover - the last unit takes all


def percent(part: int, whole: int) -> str:
    """A share, with more digits the smaller it is; a dash of nothing."""
    if not whole:
        return UNKNOWN
    share = 100 * part / whole
    if share in {0, 100} or share >= 10:
        # 99.97 % is not all of it.
        return f"{min(round(share), 99) if part < whole else 100}%"
    if share < 0.01:
        return "<0.01%"
    return f"{share:.2f}%" if share < 1 else f"{share:.1f}%"


def rate(number: int, hours: float) -> str:
    """So many an hour."""
    each = number / hours
    if 0 < each < 0.01:
        return "<0.01"
    return f"{each:,.0f}" if each >= 10 else f"{each:.{1 if each >= 1 else 2}f}".removesuffix(".0")


def instant(ms: int, form: str, now: int | None = None) -> str:
    """A moment in UTC; the browser's script writes it again in its own zone.

    Args:
        ms: Unix milliseconds.
        form: ``row`` (to the millisecond, with the day unless it is today's), ``brief`` (the same to the
            minute), ``clock`` (to the second), ``hour``, ``day``, ``step`` (both) or ``full``.
        now: What ``row`` and ``brief`` take for today.
    """
    at = datetime.fromtimestamp(ms / 1000, UTC)
    day, clock = f"{at.day} {at:%b}", f"{at:%H:%M:%S}.{ms % 1000:03}"
    if form in {"row", "brief"}:
        today = now is not None and now // 86_400_000 == ms // 86_400_000
        shown = clock if form == "row" else f"{at:%H:%M}"
        return shown if today else f"{day} {shown}"
    return {
        "clock": f"{at:%H:%M:%S}",
        "hour": f"{at:%H:%M}",
        "day": day,
        "step": f"{day} {at:%H:%M}",
        "full": f"{day} {at.year}, {clock} UTC",
    }[form]
