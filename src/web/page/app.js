// The page: shows the screen, asks for a login, and says what is wrong.

import { Connection } from "./connection.js";
import { ask, credentials } from "./login.js";
import { lookForPower, wire } from "./tools.js";

const find = (id) => document.getElementById(id);
const screen = find("screen");
const connection = new Connection(screen);
const page = await fetch("page.json", { cache: "no-store" })
    .then((answer) => (answer.ok ? answer.json() : answer.text().then((why) => ({ problem: why }))))
    .catch((problem) => ({ problem: problem.message }));

function say(title, text, { code = "", again = null } = {}) {
    find("message-title").textContent = title;
    find("message-text").textContent = text;
    find("message-code").textContent = code;
    find("message-code").hidden = !code;
    find("message-again").hidden = !again;
    find("message-again").onclick = again;
    find("message").hidden = false;
}

function show(what) {
    for (const id of ["message", "login"]) find(id).hidden = id !== what;
    const isOn = what === "screen";
    screen.hidden = find("bar").hidden = !isOn;
    // Hidden, it is of no size, and noVNC would scale to that.
    if (isOn) dispatchEvent(new Event("resize"));
}

function open() {
    show("screen");
    find("bar").hidden = true;
    connection.open({ ...credentials });
}

function logIn(why = "") {
    show("login");
    ask(page.name, why, open);
}

function fit() {
    const isFitted = find("fit").getAttribute("aria-pressed") === "true";
    if (!connection.rfb) return;
    connection.rfb.scaleViewport = isFitted;
    connection.rfb.clipViewport = !isFitted;
    connection.rfb.dragViewport = !isFitted && matchMedia("(pointer: coarse)").matches;
}

connection.addEventListener("connected", () => {
    const rfb = connection.rfb;
    rfb.qualityLevel = 8;
    rfb.showDotCursor = true;
    show("screen");
    fit();
    rfb.focus();
    lookForPower(rfb, page.tools);
});
connection.addEventListener("asked", () => logIn());
connection.addEventListener("refused", ({ detail }) => (page.password ? logIn(detail) : say("Not connected", detail)));
connection.addEventListener("lost", ({ detail }) => {
    find("bar").hidden = true;
    say("No connection", `The server does not answer. Trying again in ${detail} s.`);
});
connection.addEventListener("ended", ({ detail }) => {
    show("message");
    say("Disconnected", detail, { again: () => (page.password && !credentials.password ? logIn() : open()) });
});
connection.addEventListener("name", ({ detail }) => (document.title = detail));
connection.addEventListener("capabilities", () => lookForPower(connection.rfb, page.tools));

find("fit").onclick = () => {
    const button = find("fit");
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    fit();
    connection.rfb?.focus();
};
find("full").onclick = async () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    await document.documentElement.requestFullscreen();
    // Esc, Tab and the like reach the target then, where the browser lets them.
    navigator.keyboard?.lock?.().catch(() => {});
    connection.rfb?.focus();
};

// A phone's keyboard writes into a field and tells no keys; what it wrote is sent as keys.
const touch = find("touch-text");
const KEPT = "\u00a0"; // so that there is something to delete
touch.value = KEPT;
find("touch-keyboard").onclick = () => touch.focus({ preventScroll: true });
touch.addEventListener("input", (event) => {
    const rfb = connection.rfb;
    const written = touch.value;
    if (event.isComposing) return;
    touch.value = KEPT;
    if (!rfb) return;
    const tap = (keysym, code) => rfb.sendKey(keysym, code);
    if (written.length < KEPT.length) return tap(0xff08, "Backspace");
    for (const character of written.replace(KEPT, "")) {
        const point = character.codePointAt(0);
        if (point === 0x0a) tap(0xff0d, "Enter");
        else tap(point < 0x100 ? point : 0x01000000 | point, null);
    }
});
touch.addEventListener("compositionend", () => touch.dispatchEvent(new Event("input")));

// How good the line is: a small request's time there and back, and what came in.
let before = 0;
let roundTrip = null;
let ticks = 0;
setInterval(async () => {
    const rate = connection.received - before;
    before = connection.received;
    const output = find("quality");
    const quality = roundTrip === null ? "" : roundTrip < 60 ? "good" : roundTrip < 200 ? "fair" : "poor";
    output.dataset.is = connection.isConnected ? quality : "poor";
    output.textContent = `${roundTrip === null ? "…" : `${Math.round(roundTrip)} ms`} · ${Math.round(rate / 1000)} kB/s`;
    if (ticks++ % 5 || !connection.isConnected || document.hidden) return;
    const asked = performance.now();
    const answer = await fetch("page.json", { method: "HEAD", cache: "no-store" }).catch(() => null);
    roundTrip = answer && performance.now() - asked;
}, 1000);

wire(() => connection.rfb, page.tools ?? false);
if (page.problem !== undefined) {
    say("No connection", page.problem, { again: () => location.reload() });
} else if (page.missing.length) {
    say("noVNC is not installed", "The screen is shown by noVNC, which the server does not bring along. On the server, run one of these and reload this page:", {
        code: `sudo apt install novnc\nsudo npm install --global @novnc/novnc\n\n# or name its directory in rfbridge.toml; looked for it in\n# ${page.missing.join("\n# ")}\n[web]\nnovnc = "/path/to/novnc"`,
        again: () => location.reload(),
    });
    find("message-again").textContent = "Reload";
} else if (page.refused) {
    say("Not over this connection", page.refused);
} else if (page.password) {
    logIn();
} else {
    open();
}
