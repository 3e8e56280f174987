"""The side bar: what goes on, single things, by what they are told apart, against what they are held.

Each entry is a page's path, its name, its picture, and the key that opens it after ``g``.
"""

__all__ = ("GO_TO", "MENU")

MENU = (
    (
        ("", "Overview", "gauge", "o"),
        ("live", "Live", "radio", "l"),
    ),
    (
        ("calls", "Calls", "list", "c"),
        ("sessions", "Sessions", "messages-square", "s"),
        ("errors", "Errors", "triangle-alert", "e"),
    ),
    (
        ("models", "Models", "boxes", "m"),
        ("prompts", "Prompts", "scroll-text", "p"),
        ("tools", "Tools", "wrench", "t"),
        ("routes", "Routes", "route", "r"),
        ("users", "Users", "users", "u"),
        ("tags", "Tags", "tag", "a"),
    ),
    (("compare", "Compare", "git-compare-arrows", "d"),),
)
GO_TO = tuple((f"g {key}", name) for group in MENU for _, name, _, key in group)
"""The keys, as they are listed."""
