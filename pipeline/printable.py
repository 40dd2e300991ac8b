"""Text from outside, for people: nothing in it that a terminal might obey."""


def clean(text: str) -> str:
    r"""The text with everything that a terminal might obey spelled out.

    >>> print(clean("a\x1b[31mb\n[bold]"))
    a\x1b[31mb\n[bold]
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def clean_lines(text: str) -> str:
    r"""The same, but the text stays in its lines.

    >>> print(clean_lines("a\x1b[31mb\nc"))
    a\x1b[31mb
    c
    """
    return "\n".join(map(clean, text.split("\n")))
