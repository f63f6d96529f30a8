// What can be done beside looking and typing.

import { fetchAs } from "./login.js";

const find = (id) => document.getElementById(id);

// Keysyms, and where the keys are (UI Events `code`), in the order in which they are pressed.
const KEYS = {
    Esc: [[0xff1b, "Escape"]],
    Tab: [[0xff09, "Tab"]],
    Del: [[0xffff, "Delete"]],
    Win: [[0xffeb, "MetaLeft"]],
    Menu: [[0xff67, "ContextMenu"]],
    Print: [[0xff61, "PrintScreen"]],
    "Alt+Tab": [[0xffe9, "AltLeft"], [0xff09, "Tab"]],
    "Alt+F4": [[0xffe9, "AltLeft"], [0xffc1, "F4"]],
    "Ctrl+C": [[0xffe3, "ControlLeft"], [0x63, "KeyC"]],
    "Ctrl+W": [[0xffe3, "ControlLeft"], [0x77, "KeyW"]],
    "Ctrl+Alt+F1": [[0xffe3, "ControlLeft"], [0xffe9, "AltLeft"], [0xffbe, "F1"]],
    "Ctrl+Alt+F2": [[0xffe3, "ControlLeft"], [0xffe9, "AltLeft"], [0xffbf, "F2"]],
    "Alt+SysRq": [[0xffe9, "AltLeft"], [0xff15, "PrintScreen"]],
};
for (let number = 1; number <= 12; number++) KEYS[`F${number}`] = [[0xffbd + number, `F${number}`]];

function press(rfb, keys) {
    for (const [keysym, code] of keys) rfb.sendKey(keysym, code, true);
    for (const [keysym, code] of [...keys].reverse()) rfb.sendKey(keysym, code, false);
}

/** Wires the buttons; `rfb()` gives the connection, or null while there is none. */
export function wire(rfb, hasTools) {
    for (const [name, keys] of Object.entries(KEYS)) {
        const button = document.createElement("button");
        button.textContent = name;
        button.onclick = () => rfb() && press(rfb(), keys);
        find("keys-list").append(button);
    }
    find("keys-open").onclick = () => find("keys").showModal();
    find("ctrl-alt-del").onclick = () => rfb()?.sendCtrlAltDel();
    find("screenshot").onclick = () => screenshot(hasTools);
    for (const name of ["type", "people"]) {
        const button = find(`${name}-open`);
        button.disabled = !hasTools;
        if (!hasTools) button.title = "This needs HTTPS: a password could be read here.";
    }
    wireTyping();
    wirePeople();
    wirePower();
    for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => rfb()?.focus());
}

function wireTyping() {
    const [text, result, start] = ["type-text", "type-result", "type-start"].map(find);
    let running = null;
    find("type-open").onclick = () => {
        result.textContent = "";
        find("type").showModal();
        text.focus();
    };
    start.onclick = async () => {
        running = new AbortController();
        start.disabled = true;
        result.className = "";
        result.textContent = "Typing…";
        try {
            const path = find("type-skip").checked ? "type?skip=true" : "type";
            const answer = await fetchAs(path, { method: "POST", body: text.value, signal: running.signal });
            const kind = answer.headers.get("content-type") ?? "";
            const told = kind.startsWith("application/json") ? await answer.json() : { error: await answer.text() };
            result.className = answer.ok ? "" : "bad";
            result.textContent = answer.ok ? `Typed ${told.typed} characters.` : told.error;
        } catch (problem) {
            result.className = "bad";
            result.textContent = problem.name === "AbortError" ? "Stopped." : `Not typed: ${problem.message}`;
        }
        start.disabled = false;
    };
    find("type").addEventListener("close", () => running?.abort());
}

function wirePeople() {
    let timer = null;
    const look = async () => {
        const rows = [];
        try {
            const answer = await fetchAs("clients");
            if (!answer.ok) throw new Error(await answer.text());
            for (const client of await answer.json()) {
                rows.push(row([
                    client.user ?? client.address,
                    client.role,
                    client.controls ? "yes" : client.view_only ? "may only watch" : "no",
                    span(client.connected_seconds),
                    client.idle_seconds === null ? "always" : span(client.idle_seconds),
                    client.encoding ?? "",
                    `${Math.round(client.bytes_per_second / 1000)} kB/s`,
                    client.round_trip_ms === null ? "" : `${client.round_trip_ms} ms`,
                ]));
            }
        } catch (problem) {
            rows.push(row([problem.message]));
        }
        find("people-list").replaceChildren(...rows);
    };
    find("people-open").onclick = () => {
        look();
        timer = setInterval(look, 2000);
        find("people").showModal();
    };
    find("people").addEventListener("close", () => clearInterval(timer));
}

function row(cells) {
    const row = document.createElement("tr");
    for (const cell of cells) row.insertCell().textContent = cell;
    return row;
}

function span(seconds) {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

const POWER = { on: "Switch on", off: "Shut down", reboot: "Reboot", reset: "Reset", "force-off": "Force off" };
// What noVNC itself can ask for, where the server cannot be asked otherwise.
const BY_XVP = { off: "machineShutdown", reboot: "machineReboot", reset: "machineReset" };

/** Looks what can be done with the machine's power, and shows the button if anything can. */
export async function lookForPower(rfb, hasTools) {
    const answer = hasTools ? await fetchAs("status").catch(() => null) : null;
    const status = answer?.ok ? await answer.json() : {};
    const known = status.power?.actions ?? [];
    const actions = known.length ? known : rfb.capabilities.power ? Object.keys(BY_XVP) : [];
    const act = known.length ? byRequest : (action) => rfb[BY_XVP[action]]();
    const buttons = actions.map((action) => {
        const button = document.createElement("button");
        button.textContent = POWER[action] ?? action;
        button.onclick = () => act(action, button);
        return button;
    });
    find("power-list").replaceChildren(...buttons);
    find("power-open").hidden = !buttons.length;
}

async function byRequest(action, button) {
    const result = find("power-result");
    result.className = "";
    result.textContent = `${button.textContent} …`;
    button.disabled = true;
    try {
        const answer = await fetchAs(`power/${action}`, { method: "POST" });
        result.className = answer.ok ? "" : "bad";
        result.textContent = answer.ok ? `${button.textContent}: done.` : await answer.text();
    } catch (problem) {
        result.className = "bad";
        result.textContent = problem.message;
    }
    button.disabled = false;
}

function wirePower() {
    find("power-open").onclick = () => {
        find("power-result").textContent = "";
        find("power").showModal();
    };
}

async function screenshot(hasTools) {
    let picture = null;
    if (hasTools) {
        const answer = await fetchAs("snapshot.png").catch(() => null);
        picture = answer?.ok ? await answer.blob() : null;
    }
    // As it is shown here, where the server cannot be asked.
    picture ??= await new Promise((done) => document.querySelector("#screen canvas")?.toBlob(done));
    if (!picture) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(picture);
    link.download = `screen-${new Date().toISOString().replace(/[:.]/g, "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
