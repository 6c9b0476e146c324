"""A headless Chromium, driven over its DevTools protocol with nothing but Python's own library."""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
import urllib.request

WAIT = 60


class Browser:
    """One page of a browser of its own; what it logs and what it fetches is kept."""

    def __init__(self, executable="chromium"):
        self.folder = tempfile.mkdtemp(prefix="viecoop-browser-")
        self.process = subprocess.Popen(
            [executable, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage",
             "--remote-debugging-port=0", "--user-data-dir=" + self.folder, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = self._until(self._port, "the browser did not start")
        target = self._until(lambda: self._page(port), "the browser has no page")
        self.socket = WebSocket(target)
        self.number, self.complaints, self.requests = 0, [], {}
        for domain in ("Page", "Runtime", "Log", "Network", "DOM", "Accessibility"):
            self.call(domain + ".enable")

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _port(self):
        try:
            with open(os.path.join(self.folder, "DevToolsActivePort")) as file:
                return int(file.readline())
        except (OSError, ValueError):
            return None

    @staticmethod
    def _page(port):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=WAIT) as answer:
            return next((target["webSocketDebuggerUrl"] for target in json.load(answer) if target["type"] == "page"), None)

    def _until(self, ask, failure):
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            answer = ask()
            if answer:
                return answer
            time.sleep(0.05)
        raise RuntimeError(failure)

    def call(self, method, **parameters):
        """The result of a command; what happens meanwhile is noted."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self._note(message.get("method"), message.get("params", {}))

    def _note(self, event, parameters):
        if event in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(f"{event}: {json.dumps(parameters)[:400]}")
        elif event == "Network.requestWillBeSent":
            self.requests[parameters["requestId"]] = [parameters["request"]["url"], None]
        elif event == "Network.responseReceived":
            self.requests.setdefault(parameters["requestId"], ["?", None])[1] = parameters["response"]["status"]
        elif event == "Network.loadingFailed" and not parameters.get("canceled"):
            self.requests.setdefault(parameters["requestId"], ["?", None])[1] = parameters["errorText"]

    def run(self, script):
        """What a script, which may be a promise, comes to."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def wait(self, condition):
        self._until(lambda: self.run(condition), f"never came: {condition}")

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete'")

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode={"Tab": 9, "Enter": 13}[key])

    def picture(self, path, whole=True):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def printed(self, path):
        data = self.call("Page.printToPDF", printBackground=True)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))


class WebSocket:
    """A client for one peer that is trusted (RFC 6455)."""

    def __init__(self, address):
        host, path = address.removeprefix("ws://").split("/", 1)
        name, port = host.split(":")
        self.connection = socket.create_connection((name, int(port)), timeout=WAIT)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self._read()
        self.rest = self.rest.split(b"\r\n\r\n", 1)[1]

    def _read(self):
        data = self.connection.recv(1 << 16)
        if not data:
            raise RuntimeError("the browser went away")
        return data

    def _take(self, count):
        while len(self.rest) < count:
            self.rest += self._read()
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def send(self, text):
        data, mask = text.encode(), os.urandom(4)
        length = struct.pack("!B", 0x80 | len(data)) if len(data) < 126 else struct.pack("!BH", 0xFE, len(data)) if len(data) < 65536 else struct.pack("!BQ", 0xFF, len(data))
        self.connection.sendall(b"\x81" + length + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(data)))

    def receive(self):
        data = b""
        while True:
            first, second = self._take(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack("!H", self._take(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", self._take(8))[0]
            data += self._take(length)
            if first & 0x80:
                return data.decode()
