"""Pages of the dashboard in a real Chromium, until the process is ended: ADDRESS PAGE…"""

import shutil
import sys
import threading

from playwright.sync_api import sync_playwright


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for page in sys.argv[2:]:
            browser.new_page().goto(f"{sys.argv[1]}{page}")
        threading.Event().wait()


if __name__ == "__main__":
    main()
