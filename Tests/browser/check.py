"""Looks at the server's pages as a person does, in a headless Chromium.

    /usr/bin/python3 Tests/browser/check.py .build/debug/viecoop [FOLDER FOR SCREENSHOTS]

Makes up a year of history, serves it, signs in, and holds what the pictures show against the JSON: no console message, no failed
request, a name for everything that can be operated, contrast, and an order of focus that follows the page.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

from devtools import Browser

AUDIT = r"""
(() => {
  const faults = [];
  const visible = (node) => node.checkVisibility() && node.getClientRects().length > 0 && !node.classList.contains('skip');
  const name = (node) => (node.getAttribute('aria-label') || (node.labels && [...node.labels].map((l) => l.textContent).join(' ')) || node.textContent || '').trim();
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  for (const id of ids) if (ids.filter((other) => other === id).length > 1) faults.push('id twice: ' + id);
  for (const node of document.querySelectorAll('a, button, input, select, summary, [role=img], [role=region], figure')) {
    if (visible(node) && !name(node)) faults.push('no name: ' + node.outerHTML.slice(0, 120));
  }
  for (const node of document.querySelectorAll('[tabindex]')) if (node.tabIndex > 0) faults.push('its own order of focus: ' + node.outerHTML.slice(0, 120));
  for (const node of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
    for (const id of ((node.getAttribute('aria-labelledby') || '') + ' ' + (node.getAttribute('aria-describedby') || '')).split(' ').filter(Boolean)) {
      if (!document.getElementById(id)) faults.push('names nobody: ' + id);
    }
  }
  const levels = [...document.querySelectorAll('h1, h2, h3')].filter(visible).map((node) => Number(node.tagName[1]));
  levels.forEach((level, index) => { if (index && level > levels[index - 1] + 1) faults.push('a heading of level ' + level + ' after one of ' + levels[index - 1]); });
  if (document.querySelectorAll('h1').length !== 1 || document.querySelectorAll('main').length !== 1) faults.push('not one h1 and one main');
  const channel = (value) => { value /= 255; return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const light = (colour) => { const [r, g, b] = colour.match(/[\d.]+/g).map(Number); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
  const ground = (node) => { for (; node; node = node.parentElement) { const colour = getComputedStyle(node).backgroundColor; if (!/, 0\)$|transparent/.test(colour)) return colour; } return getComputedStyle(document.documentElement).colorScheme.includes('dark') && matchMedia('(prefers-color-scheme: dark)').matches ? 'rgb(18,18,18)' : 'rgb(255,255,255)'; };
  for (const node of document.querySelectorAll('body *')) {
    if (!visible(node) || ![...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())) continue;
    const [one, other] = [light(getComputedStyle(node).color), light(ground(node))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < 4.5) faults.push('contrast ' + contrast.toFixed(2) + ': ' + node.outerHTML.slice(0, 120));
  }
  for (const node of document.querySelectorAll('button, input, select, summary')) {
    const box = node.getBoundingClientRect();
    if (visible(node) && box.height < 24) faults.push('too small to hit: ' + node.outerHTML.slice(0, 120));
  }
  const scrolls = (node) => { for (node = node.parentElement; node; node = node.parentElement) if (getComputedStyle(node).overflowX === 'auto') return true; return false; };
  for (const node of document.querySelectorAll('body *')) {
    if (visible(node) && node.getBoundingClientRect().right > innerWidth + 1 && !scrolls(node)) faults.push('wider than the screen: ' + node.outerHTML.slice(0, 120));
  }
  return [...new Set(faults)];
})()
"""


def main(program, pictures):
    data = tempfile.mkdtemp(prefix="viecoop-pages-")
    server = browser = None
    try:
        subprocess.run([program, "demo-history", "--years", "1", "--data", data], check=True, stdout=subprocess.DEVNULL, timeout=300)
        server = subprocess.Popen([program, "serve", "--data", data, "--listen", "127.0.0.1:0", "--log", "off"], stderr=subprocess.PIPE, text=True)
        origin = next(json.loads(line)["address"] for line in server.stderr if '"listening"' in line)
        make = lambda role, *more: subprocess.run([program, "token", "create", "--role", role, "--data", data, *more], check=True, capture_output=True, text=True, timeout=60).stdout.strip()
        browser = Browser()
        Check(browser, origin, pictures).all(make("federation_reader"), make("coop_manager", "--coop", "a-casa-cumuna"), make("federation_admin"))
    finally:
        if browser:
            browser.close()
        if server:
            server.terminate()
            server.wait(30)
        shutil.rmtree(data, ignore_errors=True)


class Check:
    def __init__(self, browser, origin, pictures):
        self.browser, self.origin, self.pictures = browser, origin, pictures

    def all(self, reader, stranger, admin):
        self.reader = reader
        self.browser.size(1280, 900)
        self.browser.open(self.origin + "/dashboard?lang=fr")
        self.faultless("the door")
        self.sign_in(stranger, "document.getElementById('refusal').textContent !== ''")
        self.browser.complaints, self.browser.requests = [], {}
        self.sign_in(reader, "document.querySelectorAll('#tiles .card').length === 24 && document.querySelectorAll('#ideas li').length > 0")
        self.equal("the field of the token is empty", self.browser.run("document.getElementById('token').value"), "")
        self.equal("nothing is stored", self.browser.run("localStorage.length + sessionStorage.length + document.cookie.length"), 0)
        self.numbers("")
        self.looks("desktop", 1280, 900)
        self.looks("phone", 320, 700)
        self.looks("dark", 1280, 900, dark=True)
        self.browser.size(1280, 900)
        if self.pictures:
            self.browser.printed(os.path.join(self.pictures, "print.pdf"))
        self.focus()
        self.filter()
        self.english()
        self.news(admin)
        self.quiet()
        self.browser.open(self.origin + "/docs")
        self.looks("docs", 1280, 900)
        self.looks("docs-phone", 320, 700)
        self.quiet()

    def sign_in(self, token, then):
        self.browser.run(f"document.getElementById('token').value = {json.dumps(token)}; document.querySelector('#door button').click()")
        self.browser.wait(then)

    def faultless(self, where):
        self.equal(f"faults of {where}", self.browser.run(AUDIT), [])

    def looks(self, name, width, height, dark=False):
        self.browser.size(width, height, dark)
        if self.pictures:
            # The contract is too long a page for one picture.
            self.browser.picture(os.path.join(self.pictures, f"{name}.png"), whole=not name.startswith("docs"))
        self.faultless(name)

    def json(self, path):
        request = urllib.request.Request(self.origin + path, headers={"Authorization": "Bearer " + self.reader})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def numbers(self, more):
        """What tiles, map, bars and tables show is what the server answers."""
        query = self.browser.run("(() => { const day = (text, count) => new Date(Date.parse(text) + count * 864e5).toISOString().slice(0, 10); return `from=${document.getElementById('from').value}&to=${day(document.getElementById('until').value, 1)}` })()") + more
        shown = lambda selector, key: dict(self.browser.run(f"[...document.querySelectorAll('{selector}')].map((node) => [node.dataset.{key}, node.dataset.value])"))
        text = lambda value: "" if value is None else repr(int(value)) if value == int(value) else repr(value)
        items = self.json("/v1/indicators?" + query)["items"]
        self.equal("tiles", shown("#tiles .card", "name"), {item["name"]: text(item["value"]) for item in items})
        groups = self.json("/v1/indicators/referent-coverage?group_by=region&" + query)["groups"]
        self.equal("map", shown("#map li", "key"), {group["key"]: text(group["value"]) for group in groups})
        bars = lambda place: self.browser.run(f"[...document.querySelectorAll('#{place} li')].map((node) => node.dataset.value)")
        table = lambda place: self.browser.run(f"[...document.querySelectorAll('#{place} td[data-value]')].map((node) => node.dataset.value)")
        named = {item["name"]: item for item in items}
        expected = {
            "appointments": named["appointment-funnel"]["parts"], "pairings": named["pairing-lead-time"]["parts"], "ideas": named["idea-balance"]["parts"],
            "modules": self.json("/v1/indicators/seat-fill?group_by=module&" + query)["groups"],
        }
        for place, parts in expected.items():
            self.equal(f"bars of {place}", bars(place), [text(part["value"]) for part in parts])
            self.equal(f"table of {place}", table(place), [text(part["value"]) for part in parts])
        self.equal("table of the map", table("map"), [text(group["value"]) for group in groups])
        widths = self.browser.run("[...document.querySelectorAll('#appointments .fill')].map((node) => Number(node.getAttribute('width')))")
        self.equal("lengths of bars", [round(width, 2) for width in widths], [round((part["value"] or 0) * 100, 2) for part in expected["appointments"]])

    def focus(self):
        """Tab goes through the page in the order in which it is read, and is always seen."""
        self.browser.run("document.activeElement.blur(); scrollTo(0, 0)")
        seen = []
        for _ in range(12):
            self.browser.press("Tab")
            seen.append(self.browser.run("(() => { const node = document.activeElement; const all = [...document.querySelectorAll('*')]; return [all.indexOf(node), getComputedStyle(node).outlineStyle !== 'none' || node === document.body, node.outerHTML.slice(0, 80)] })()"))
        places = [place for place, _, _ in seen]
        self.equal("order of focus", places, sorted(places))
        self.equal("focus that is not seen", [node for _, outlined, node in seen if not outlined], [])

    def filter(self):
        self.browser.run("document.getElementById('region').value = 'FR-HDF'; document.getElementById('filters').requestSubmit()")
        self.browser.wait("location.search.includes('region=FR-HDF') && document.querySelectorAll('#map li').length === 1")
        self.numbers("&region=FR-HDF")
        self.browser.run("history.back()")
        self.browser.wait("document.querySelectorAll('#map li').length === 18")

    def english(self):
        self.browser.run("document.getElementById('en').click()")
        self.browser.wait("document.documentElement.lang === 'en' && document.querySelector('#tiles h3').textContent === '1. Referent coverage'")
        self.equal("French left", self.browser.run("[...document.querySelectorAll('[data-text]')].filter((node) => /[éèà]/.test(node.textContent)).length"), 0)

    def news(self, admin):
        """A change elsewhere shows without a hand on the page."""
        before = self.browser.run("document.querySelector('[data-name=referent-coverage] .made').textContent")
        body = json.dumps({"slug": "coop-des-nouvelles", "name": "Coop des nouvelles", "department_code": "35", "membership": "member"}).encode()
        request = urllib.request.Request(self.origin + "/v1/coops", body, {"Authorization": "Bearer " + admin, "Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=60).close()
        self.browser.wait(f"document.querySelector('[data-name=referent-coverage] .made').textContent !== {json.dumps(before)}")

    def quiet(self):
        self.browser.run("1")
        self.equal("console", self.browser.complaints, [])
        outside = [entry for entry in self.browser.requests.values() if not entry[0].startswith((self.origin, "blob:", "data:"))]
        self.equal("requests elsewhere", outside, [])
        self.equal("failed requests", [entry for entry in self.browser.requests.values() if entry[1] not in (200, 304, None)], [])
        self.equal("tokens in addresses", [url for url, _ in self.browser.requests.values() if re.search("vc_", url)], [])

    @staticmethod
    def equal(what, found, expected):
        if found != expected:
            sys.exit(f"{what}: {found}\nnot {expected}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else None)
    print("the pages are as they should be")
