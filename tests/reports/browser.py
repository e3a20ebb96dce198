"""Chromium, driven over a pipe with the DevTools protocol: no driver and no library is needed."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
NO_CHROMIUM = "no Chromium on PATH to open pages in (Debian: apt install chromium)"
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--remote-debugging-pipe",
)
DESKTOP, PHONE = (1280, 900), (390, 844)
_SECONDS = 60


def chromium() -> str | None:
    """The path of a Chromium, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A headless Chromium with one page; ``errors`` are what its console and scripts complained."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self._profile = tempfile.TemporaryDirectory(prefix="hwarith-", ignore_cleanup_errors=True)
        theirs, self._out = os.pipe()
        self._in, theirs_too = os.pipe()
        # The protocol's pipes are the file descriptors 3 and 4 of the browser.
        command = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        program = [str(chromium()), *_OPTIONS, f"--user-data-dir={self._profile.name}"]
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", str(theirs), str(theirs_too), *program, "about:blank"],
            pass_fds=(theirs, theirs_too),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs)
        os.close(theirs_too)
        self._read, self._number, self._session = b"", 0, None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._out)
        self._process.terminate()
        self._process.wait(_SECONDS)
        os.close(self._in)
        self._profile.cleanup()

    def call(self, method: str, **params: Any) -> Any:
        """The result of a command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            if not select.select([self._in], [], [], _SECONDS)[0]:
                raise TimeoutError("Chromium does not answer")
            received = os.read(self._in, 1 << 20)
            if not received:
                raise RuntimeError("Chromium has ended")
            self._read += received
        message, _, self._read = self._read.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Runtime.exceptionThrown":
                self.errors.append(json.dumps(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.errors.append(json.dumps(params["args"]))
            case "Log.entryAdded":
                self.errors.append(params["entry"]["text"])

    def open(self, page: Path | str, fragment: str = "", size: tuple[int, int] = DESKTOP) -> float:
        """Open a file or an address in a window of this size; the seconds until it is drawn."""
        width, height = size
        screen = {"width": width, "height": height, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", **screen, mobile=size == PHONE)
        self.call("Page.navigate", url="about:blank")
        start = time.perf_counter()
        address = page if isinstance(page, str) else page.absolute().as_uri()
        self.call("Page.navigate", url=f"{address}#{fragment}".removesuffix("#"))
        self.wait("document.readyState === 'complete' && location.protocol !== 'about:'")
        self.run("new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)))")
        return time.perf_counter() - start

    def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        answer = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait(self, condition: str, seconds: float = _SECONDS) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(condition):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {condition}")
            time.sleep(0.01)

    def click(self, selector: str) -> None:
        """Click with the mouse in the middle of the first element of a selector."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, key: str) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            number = {"Escape": 27, "Enter": 13}[key]
            names = {"key": key, "code": key, "windowsVirtualKeyCode": number}
            self.call("Input.dispatchKeyEvent", type=kind, **names)

    def prefer(self, scheme: str) -> None:
        """Make the system's theme ``light`` or ``dark``."""
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[preference])

    def screenshot(self, path: Path) -> None:
        image = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(image["data"]))
