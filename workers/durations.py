"""Durations as people read them, in terminals and on pages."""


def in_words(seconds: float) -> str:
    """`7 ms`, `0.4 s`, `12 s`, `3 min 5 s`, `2 h 14 min`, `3 d 2 h`; a clock that went back gives `0 ms`."""
    if seconds < 0.1:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, name, smaller, small_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            return f"{whole // size} {name} {whole % size // smaller} {small_name}"
    return f"{whole} s"
