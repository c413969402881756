"""``python -m cluster.docs.report_pictures REPORT.html DIR``: pictures of a report, by Debian's chromium.

Needs the development packages and ``chromium``; nothing is fetched, a report needs no network.
"""

from __future__ import annotations

import argparse
from pathlib import Path

CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
_SIZE = {"width": 1100, "height": 1000}
_CHARTS = 6  # of a report over three pairs: drawn before the picture is taken


def take(report: Path, folder: Path, executable: str = CHROMIUM) -> list[Path]:
    """Write ``report.png`` (the top) and ``report-regimes.png`` (the first pair) and return their paths."""
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    out = [folder / "report.png", folder / "report-regimes.png"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        page = browser.new_page(viewport={"width": _SIZE["width"], "height": _SIZE["height"]})
        page.set_default_timeout(120_000)
        page.goto(report.resolve().as_uri())
        page.wait_for_function(f"document.querySelectorAll('.plot .main-svg').length >= {_CHARTS}")
        page.screenshot(path=out[0])
        page.evaluate("document.getElementById('pairs').scrollIntoView()")
        page.screenshot(path=out[1])
        browser.close()
    return out


def main() -> None:
    """Take the pictures that the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m cluster.docs.report_pictures", description=take.__doc__)
    parser.add_argument("report", type=Path, metavar="REPORT.html")
    parser.add_argument("folder", type=Path, metavar="DIR")
    args = parser.parse_args()
    for path in take(args.report, args.folder):
        print(f"{path}: {path.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
