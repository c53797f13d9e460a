"""A fontconfig file for Chromium: screenshots and layout checks see the Chinese font that the letters use."""

from __future__ import annotations

from pathlib import Path

FONTS = Path(__file__).resolve().parents[2] / "webapp" / "letters" / "fonts"

TEMPLATE = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{cache}</cachedir>
  <alias><family>sans-serif</family><prefer><family>Noto Sans TC</family></prefer></alias>
</fontconfig>
"""


def fontconfig_environment(directory: Path) -> dict[str, str]:
    """The environment variable that shows Chromium the vendored fonts; the file is written into `directory`."""
    file = directory / "fonts.conf"
    file.write_text(TEMPLATE.format(fonts=FONTS, cache=directory / "fontconfig"), encoding="utf-8")
    return {"FONTCONFIG_FILE": str(file)}
